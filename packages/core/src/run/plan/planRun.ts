import { Clock, DateTime, Effect, type Scope, Stream } from "effect"
import type { Ledger, LedgerError, OpenRun } from "../../ledger/Ledger.ts"
import { makeLedgerMemory } from "../../ledger/LedgerMemory.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { canonicalHash } from "../../record/canonicalJson.ts"
import type { JobKind } from "../../record/JobSnapshot.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import type { StorePlan } from "../../sink/SinkPlan.ts"
import { boundSource } from "../../source/sourceKinds.ts"
import { pipelineChanged, type Resume } from "../acquire/acquireRun.ts"
import { chooseRun, hasChanged, type NextRun } from "../acquire/chooseRun.ts"
import { doubtLedger } from "../acquire/doubtLedger.ts"
import type { MarkOptions } from "../acquire/RunMarker.ts"
import { budgetShares } from "../submit/RemainingBudget.ts"
import { boundCost } from "./boundCost.ts"
import { type KnownWork, type OpenCost, openCost } from "./openCost.ts"
import type { Plan, PlannedAction, PlannedSink } from "./Plan.ts"
import { plannedCalls } from "./plannedCalls.ts"

/** What a plan is made of besides the pipeline: the same that its run would be given. */
export interface PlanOptions {
  readonly resume?: Exclude<Resume, { readonly runId: string }>
  /** The store of a ledger that is no sink's. */
  readonly ledger?: StorePlan
  readonly marks?: MarkOptions
  /** Which API would be asked, without a secret. */
  readonly api?: string
}

/** Runs whose cost is told. */
const lastRuns = 5

const newRun = { runId: "00000000-0000-0000-0000-000000000000", epoch: 1 }
const nothingAsked: KnownWork = { submissions: [], jobs: [] }

/**
 * Says what a run of the pipeline would do and cost. Reads catalogs, rights and the ledger; writes nothing, and asks the API nothing.
 * Fails where the run could not begin: a store that cannot be reached, or that refuses the pipeline as it is.
 */
export const planRun = Effect.fn("Pipeline.plan")(function* (
  pipeline: PipelineDefinition,
  options: PlanOptions = {}
): Effect.fn.Return<Plan, SinkError | LedgerError, Scope.Scope> {
  const sinks: Array<PlannedSink & Pick<StorePlan, "ledger" | "server">> = []
  for (const { kind, name, plan } of pipeline.sinks) {
    const blank = { place: kind, statements: [], checks: [], changes: [] }
    sinks.push({ name, kind, ...(plan === undefined ? blank : yield* plan(pipeline.name)) })
  }
  const kept = options.ledger?.ledger ?? sinks.find(({ ledger }) => ledger !== undefined)?.ledger
  const found = yield* findWork(pipeline, kept, options)
  const { next, notes, shares, work } = found
  const cost = openCost(boundSource(pipeline.source).asks(), work)
  const idle = { ...cost, asked: 0, unasked: [], further: undefined }
  const submits =
    next.action === "begin" || next.action === "resume" || next.action === "wait" || next.action === "unknown"
  const toAsk = submits ? cost : idle
  const plan = {
    pipeline: pipeline.name,
    config_hash: pipeline.hash,
    ...(options.api === undefined ? {} : { api: options.api }),
    ...next,
    calls:
      next.action === "refuse" || next.action === "halt"
        ? []
        : plannedCalls(pipeline.source, toAsk, {
            hasJobs: work.submissions.length > 0,
            asksLists: found.asksList ? kindsOf(toAsk) : []
          }),
    cost: boundCost(pipeline, toAsk, submits ? shares : []),
    budget: shares.map(({ bound, most, spentElsewhere, tokens }) => ({
      bound,
      most,
      spent: spentElsewhere,
      left: tokens
    })),
    sinks: sinks.map(({ ledger: _, server: __, ...sink }) => sink),
    ...(options.ledger === undefined ? {} : { ledger: storeOf(options.ledger) }),
    notes
  }
  return { ...plan, cost: { ...plan.cost, last: found.last }, hash: canonicalHash(plan) }
})

/** The kinds of paid jobs that are asked for. A map is in no list. */
const kindsOf = ({ further, unasked }: Pick<OpenCost, "further" | "unasked">): ReadonlyArray<JobKind> =>
  [...new Set([...unasked.map(({ kind }) => kind), ...(further === undefined ? [] : [further])])].filter(
    (kind) => kind !== "map"
  )

const storeOf = ({ checks, place, statements }: StorePlan) => ({ place, statements, checks })

/** What the ledger knows of the pipeline. */
const findWork = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  kept: StorePlan["ledger"],
  { marks, resume = "auto" }: PlanOptions
) {
  const now = yield* Clock.currentTimeMillis
  const none = { work: nothingAsked, asksList: false, last: [], shares: [] }
  if (kept === "outdated") {
    const because =
      "the ledger must be upgraded before what it knows can be read; a run does so, and sluice migrate too"
    return { ...none, next: { action: "unknown" as const, because }, notes: [] }
  }
  const isKept = kept !== undefined
  const ledger: Ledger = kept === undefined || kept === "new" ? makeLedgerMemory() : kept
  const chosen: NextRun = resume === "never" ? { _tag: "Begin" } : yield* chooseRun(ledger, pipeline)
  const next = describeNext(pipeline, chosen, resume)
  // A run that waits for another begins one of its own.
  const resumed = chosen._tag === "Resume" ? chosen.open : chosen._tag === "Reread" ? chosen.ended : undefined
  const run = { ...newRun, pipeline: pipeline.name, configHash: pipeline.hash, startedAt: now, ...resumed }
  const work = resumed === undefined ? nothingAsked : yield* workOf(ledger, resumed.runId)
  const shares = yield* budgetShares(pipeline.budget, ledger, run)
  const doubt =
    resume === "never"
      ? undefined
      : yield* doubtLedger({
          ledger,
          isKept,
          policy: pipeline.orphans,
          run,
          submissions: work.submissions.length,
          name: marks?.ledger ?? "",
          marks: (yield* Effect.forEach(marks?.places ?? [], (place) =>
            Effect.orElseSucceed(place.read(pipeline.name), () => [])
          )).flat()
        })
  const last = (yield* ledger.runs({ pipeline: pipeline.name, limit: lastRuns })).map(
    ({ receipt, runId, startedAt, status }) => ({
      run_id: runId,
      started_at: DateTime.formatIso(DateTime.makeUnsafe(startedAt)),
      status,
      tokens: receipt?.tokens.charged ?? null
    })
  )
  const lost = work.submissions.filter(({ jobId }) => jobId === null).length
  const notes = [
    ...(doubt === undefined ? [] : [`the API's job list is asked first: ${doubt.why}`]),
    ...(lost === 0 ? [] : [`${lost} submissions lack an answer: the API's job list is asked what became of them`]),
    ...(pipeline.sinks.length > 0 && !isKept ? ["no sink keeps a ledger: a run that is killed cannot be resumed"] : [])
  ]
  return { next, work, shares, last, notes, asksList: doubt !== undefined || lost > 0 }
})

const workOf = Effect.fnUntraced(function* (ledger: Ledger, runId: string): Effect.fn.Return<KnownWork, LedgerError> {
  const submissions = yield* Stream.runCollect(ledger.submissions(runId))
  const { jobs } = yield* ledger.state(runId)
  return { submissions, jobs }
})

interface Next {
  readonly action: PlannedAction
  readonly run_id?: string
  readonly because: string
}

const describeNext = (pipeline: PipelineDefinition, chosen: NextRun, resume: Resume): Next => {
  switch (chosen._tag) {
    case "Begin":
      return {
        action: "begin",
        because: resume === "never" ? "a new run was asked for" : "no run of the pipeline is open"
      }
    case "Reread":
      return {
        action: "reread",
        run_id: chosen.ended.runId,
        because: "its last run ended incomplete: its jobs are read again, and nothing is submitted"
      }
    case "Busy":
      return pipeline.overlap.whenRunning === "wait"
        ? {
            action: "wait",
            run_id: chosen.open.runId,
            because: `another process works on it (${holderOf(chosen.open)})`
          }
        : {
            action: "refuse",
            run_id: chosen.open.runId,
            because: `another process works on it (${holderOf(chosen.open)})`
          }
    case "Resume": {
      const { open } = chosen
      if (hasChanged(open, pipeline)) {
        return { action: "halt", run_id: open.runId, because: pipelineChanged(open).message }
      }
      return { action: "resume", run_id: open.runId, because: "its last run has not ended" }
    }
  }
}

const holderOf = ({ holder }: OpenRun): string => holder ?? "unknown"
