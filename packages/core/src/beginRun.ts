import { Duration, Effect, Schema, type Scope, Stream } from "effect"
import { type Allowance, allowanceOf } from "./Allowance.ts"
import { holdRun, PipelineChanged, type Resume } from "./holdRun.ts"
import { KeySet } from "./KeySet.ts"
import { type Lease, type Ledger, LedgerError, type RunHandle, type Submission } from "./Ledger.ts"
import { makeLedgerMemory } from "./LedgerMemory.ts"
import type { PipelineDefinition } from "./makePipeline.ts"
import { makeHolder } from "./RunHolder.ts"
import { RunTracker } from "./RunTracker.ts"
import { type SinkConnection, SinkError, type SinkSession } from "./Sink.ts"

/** How a run is begun. */
export interface BeginOptions {
  readonly ledger?: Ledger
  readonly resume: Resume
  /** How long a process that has died, or was stopped, keeps others from its run. Renewed three times as often. */
  readonly lease: Duration.Input
}

/** The run could not begin: nothing was submitted and nothing paid. */
export class RunNotBegun extends Schema.TaggedError<RunNotBegun>()("RunNotBegun", {
  error: Schema.Union([SinkError, LedgerError, PipelineChanged])
}) {
  override get message(): string {
    return this.error.message
  }
}

/** A sink of a run, and the keys it holds of earlier attempts, by job. */
export interface Target {
  readonly name: string
  readonly kind: string
  readonly session: SinkSession
  readonly held: ReadonlyMap<string, KeySet>
}

/** A run about to be carried out. */
export interface Begun {
  readonly run: RunHandle
  readonly ledger: Ledger
  readonly lease: Lease
  readonly targets: ReadonlyArray<Target>
  readonly submissions: ReadonlyMap<number, Submission>
  readonly tracker: RunTracker
  /** What the pipeline's budget leaves the run. */
  readonly allowance: Allowance | undefined
}

/** Opens sinks and ledger, and begins a run or takes the open one over. */
export const beginRun = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  options: BeginOptions
): Effect.fn.Return<Begun, SinkError | LedgerError | PipelineChanged, Scope.Scope> {
  const connections: Array<{ name: string; kind: string; connection: SinkConnection }> = []
  for (const sink of pipeline.sinks) {
    connections.push({ name: sink.name, kind: sink.kind, connection: yield* sink.connect })
  }
  for (const { connection } of connections) yield* connection.admit?.(pipeline.name) ?? Effect.void
  const own = connections.find(({ connection }) => connection.ledger !== undefined)?.connection.ledger
  const ledger = options.ledger ?? own ?? makeLedgerMemory()
  const lease: Lease = { holder: yield* makeHolder, durationMs: Duration.toMillis(options.lease) }
  const { isNew, run } = yield* holdRun(ledger, pipeline, lease, options.resume)
  const allowance = yield* allowanceOf(pipeline.budget, ledger, run)
  const targets = yield* Effect.forEach(connections, ({ connection, kind, name }) =>
    Effect.gen(function* () {
      const session = yield* connection.begin(run)
      const held = isNew ? new Map<string, KeySet>() : yield* heldBy(ledger, run.runId, name)
      return { name, kind, session, held }
    })
  )
  if (isNew) {
    const tracker = new RunTracker(run.startedAt)
    return { run, ledger, lease, targets, submissions: new Map(), tracker, allowance }
  }
  const submissions = new Map<number, Submission>()
  yield* Stream.runForEach(ledger.submissions(run.runId), (submission) =>
    Effect.sync(() => void submissions.set(submission.ordinal, submission))
  )
  const tracker = new RunTracker(run.startedAt, {
    state: yield* ledger.state(run.runId),
    delivered: countEverywhere(targets)
  })
  return { run, ledger, lease, targets, submissions, tracker, allowance }
})

const heldBy = Effect.fnUntraced(function* (ledger: Ledger, runId: string, sink: string) {
  const held = new Map<string, KeySet>()
  yield* Stream.runForEach(ledger.committed(runId, sink), (segment) =>
    Effect.sync(() => {
      for (const { jobId, keys } of segment.keys) {
        const set = held.get(jobId) ?? new KeySet()
        for (const key of keys) set.add(key)
        held.set(jobId, set)
      }
    })
  )
  return held
})

/** The keys of a job that every sink holds. */
export const heldEverywhere = (targets: ReadonlyArray<Target>, jobId: string): KeySet => {
  const everywhere = new KeySet()
  const [first, ...others] = targets.map(({ held }) => held.get(jobId))
  for (const key of first ?? []) if (others.every((held) => held?.has(key) === true)) everywhere.add(key)
  return everywhere
}

const countEverywhere = (targets: ReadonlyArray<Target>): number => {
  let count = 0
  for (const jobId of targets[0]?.held.keys() ?? []) count += heldEverywhere(targets, jobId).size
  return count
}
