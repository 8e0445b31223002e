import { type Duration, Effect, Schema, type Scope } from "effect"
import { type Ledger, LedgerError, SubmissionsLost } from "../../ledger/Ledger.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { SinkError } from "../../sink/SinkError.ts"
import { isOwnId } from "../../source/ownJobId.ts"
import type { Vault } from "../../vault/Vault.ts"
import { type Acquiring, acquireRun, PipelineChanged } from "./acquireRun.ts"
import { connectSinks, dryLoad } from "./connectSinks.ts"
import { doubtLedger } from "./doubtLedger.ts"
import { makeLease } from "./LeaseHolder.ts"
import { openSessions } from "./openSessions.ts"
import type { RunContext } from "./RunContext.ts"
import { type MarkOptions, makeRunMarker } from "./RunMarker.ts"

/** How a run is begun. */
export interface BeginOptions extends Acquiring {
  readonly ledger?: Ledger
  /** How long a process that has died, or was stopped, keeps others from its run. Renewed three times as often. */
  readonly lease: Duration.Input
  /** Where segments wait for sinks that lag, in a pipeline of several sinks that has no vault. */
  readonly spool?: Vault
  /** Where it is remembered outside of the ledger how far the pipeline has come. */
  readonly marks?: MarkOptions
}

/**
 * The run could not begin: nothing was submitted and nothing paid. `reason` is a `SinkError`, a `LedgerError`, or
 * `PipelineChanged` where an open run belongs to another version of the pipeline. It is safe to run again.
 *
 * @example
 * ```ts
 * import { Crawl, Pipeline } from "@sluice/core"
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Effect } from "effect"
 *
 * const pipeline = Pipeline.make({
 *   name: "docs",
 *   source: Crawl.make({ url: "https://example.com/", limit: 100 }),
 *   sinks: [Postgres.sink({ url: "postgres://localhost/lake" })]
 * })
 * const receipt = Pipeline.run(pipeline).pipe(
 *   Effect.catchTag("RunNotBegun", ({ reason }) =>
 *     reason._tag === "LedgerError" && reason.reason._tag === "LeaseHeld" ? Effect.succeed(undefined) : Effect.fail(reason)
 *   )
 * )
 * ```
 */
export class RunNotBegun extends Schema.TaggedError<RunNotBegun>()("RunNotBegun", {
  reason: Schema.Union([SinkError, LedgerError, PipelineChanged])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** Connects sinks, vault and ledger, and begins a run or takes over the open one. */
export const beginRun = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  options: BeginOptions
): Effect.fn.Return<RunContext, SinkError | LedgerError | PipelineChanged, Scope.Scope> {
  const connected = yield* connectSinks(pipeline, options.ledger)
  yield* dryLoad(pipeline, connected)
  const vault = pipeline.vault ?? (pipeline.sinks.length > 1 ? options.spool : undefined)
  const kept = vault === undefined ? undefined : yield* vault.connect
  const lease = yield* makeLease(options.lease)
  const held = yield* acquireRun(connected.ledger, pipeline, lease, options)
  if (kept?.sweep !== undefined) {
    const isOpen = (runId: string) => Effect.map(connected.ledger.open({ runId }), (open) => open !== undefined)
    yield* kept.sweep(pipeline.name, isOpen)
  }
  const run = kept === undefined ? undefined : yield* kept.begin(held.run)
  // An incomplete run is read again, even if an earlier attempt recorded its end.
  const end = run?.end?.status === "incomplete" ? undefined : run?.end
  const own = vault === undefined || run === undefined ? undefined : { ...run, end, maxBytes: vault.maxBytes }
  const context = yield* openSessions(connected, { ...held, lease, vault: own })
  yield* assertSubmissionsKnown(context).pipe(
    // A replay can finish the run at once.
    Effect.tapError(() => Effect.ignore(connected.ledger.suspend(held.run, "halted")))
  )
  const { ledger: name = "", places = [] } = options.marks ?? {}
  const mark = makeRunMarker({ ledger: name, places }, held.run)
  // `--fresh` says that it is paid for again.
  if (options.resume === "never") return { ...context, mark }
  const doubt = yield* doubtLedger({
    ...connected,
    policy: pipeline.orphans,
    run: held.run,
    submissions: context.submissions.size,
    name,
    marks: yield* mark.read
  })
  return { ...context, mark, doubt }
})

/**
 * Fails where the vault holds results of a job that is no submission of the run, and the source would be read on: a replay that
 * died may have restored the run without them, and submitting again would pay again. IDs of ours are no submissions: pages without a
 * job, and those whose answer was lost, have them.
 */
const assertSubmissionsKnown = ({ run, submissions, vault }: RunContext): Effect.Effect<void, LedgerError> => {
  if (vault === undefined || vault.end !== undefined) return Effect.void
  const known = new Set([...submissions.values()].map(({ jobId }) => jobId))
  for (const { jobs } of vault.segments) {
    const lost = jobs.find(({ jobId }) => !known.has(jobId) && !isOwnId(jobId))
    if (lost === undefined) continue
    const reason = new SubmissionsLost({ runId: run.runId, jobId: lost.jobId })
    return Effect.fail(new LedgerError({ operation: "resume", reason }))
  }
  return Effect.void
}
