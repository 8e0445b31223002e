import { Duration, Effect, Schema, type Scope, Stream } from "effect"
import {
  type Lease,
  type Ledger,
  LedgerError,
  type RunHandle,
  type RunState,
  type Submission
} from "../ledger/Ledger.ts"
import { makeLedgerMemory } from "../ledger/LedgerMemory.ts"
import type { Receipt } from "../ledger/Receipt.ts"
import type { PipelineDefinition } from "../pipeline/makePipeline.ts"
import { supersedes } from "../record/JobSnapshot.ts"
import { KeySet } from "../record/KeySet.ts"
import type { SinkConnection, SinkSession } from "../sink/Sink.ts"
import { SinkError } from "../sink/SinkError.ts"
import { samplePages } from "../source/samplePages.ts"
import type { KeptSegment, RunVault, Vault } from "../vault/Vault.ts"
import { type Allowance, allowanceOf } from "./Allowance.ts"
import { type HeldRun, holdRun, PipelineChanged, type Resume } from "./holdRun.ts"
import { makeHolder } from "./RunHolder.ts"
import { RunTracker } from "./RunTracker.ts"

/** How a run is begun. */
export interface BeginOptions {
  readonly ledger?: Ledger
  readonly resume: Resume
  /** How long a process that has died, or was stopped, keeps others from its run. Renewed three times as often. */
  readonly lease: Duration.Input
  /** Where segments wait for sinks that lag, in a pipeline of several sinks that has no vault. */
  readonly spool?: Vault
}

/** The run could not begin: nothing was submitted and nothing paid. */
export class RunNotBegun extends Schema.TaggedError<RunNotBegun>()("RunNotBegun", {
  error: Schema.Union([SinkError, LedgerError, PipelineChanged])
}) {
  override get message(): string {
    return this.error.message
  }
}

/** A sink of a run, and what it holds of earlier attempts: keys by job, and segments by sequence number. */
export interface Target {
  readonly name: string
  readonly kind: string
  readonly session: SinkSession
  readonly held: ReadonlyMap<string, KeySet>
  readonly landed: ReadonlySet<number>
}

/** A run about to be carried out. */
export interface Begun {
  readonly run: RunHandle
  readonly ledger: Ledger
  readonly lease: Lease
  readonly targets: ReadonlyArray<Target>
  readonly submissions: ReadonlyMap<number, Submission>
  readonly tracker: RunTracker
  /** The receipt the run had ended with before it was opened again. */
  readonly supersedes: Receipt | undefined
  /** What the pipeline's budget leaves the run. */
  readonly allowance: Allowance | undefined
  readonly vault: (RunVault & Pick<Vault, "maxBytes">) | undefined
  /** The keys of a job that need not be read again: every sink holds them, or the vault does. */
  readonly seen: (jobId: string) => KeySet
}

/** Sinks that answer, and the ledger of their runs. */
export interface Connected {
  readonly connections: ReadonlyArray<{
    readonly name: string
    readonly kind: string
    readonly connection: SinkConnection
  }>
  readonly ledger: Ledger
}

/** Opens the sinks of a pipeline and the ledger of its runs. */
export const connect = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  given: Ledger | undefined
): Effect.fn.Return<Connected, SinkError, Scope.Scope> {
  const connections: Array<Connected["connections"][number]> = []
  for (const sink of pipeline.sinks) {
    connections.push({ name: sink.name, kind: sink.kind, connection: yield* sink.connect })
  }
  for (const { connection } of connections) yield* connection.admit?.(pipeline.name) ?? Effect.void
  const own = connections.find(({ connection }) => connection.ledger !== undefined)?.connection.ledger
  return { connections, ledger: given ?? own ?? makeLedgerMemory() }
})

/** Tries out every store that the run will write to. Each takes back what it wrote. */
const dryLoad = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  { connections, ledger }: Connected
): Effect.fn.Return<void, SinkError | LedgerError> {
  const planned = { pipeline: pipeline.name, samples: samplePages(pipeline.source) }
  yield* ledger.dryRun?.(pipeline.name) ?? Effect.void
  for (const { connection } of connections) yield* connection.dryLoad?.(planned) ?? Effect.void
})

/** Opens sinks, vault and ledger, and begins a run or takes the open one over. */
export const beginRun = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  options: BeginOptions
): Effect.fn.Return<Begun, SinkError | LedgerError | PipelineChanged, Scope.Scope> {
  const connected = yield* connect(pipeline, options.ledger)
  yield* dryLoad(pipeline, connected)
  const vault = pipeline.vault ?? (pipeline.sinks.length > 1 ? options.spool : undefined)
  const kept = vault === undefined ? undefined : yield* vault.connect
  const lease = yield* leaseOf(options.lease)
  const held = yield* holdRun(connected.ledger, pipeline, lease, options.resume)
  if (kept?.sweep !== undefined) {
    const isOpen = (runId: string) => Effect.map(connected.ledger.open({ runId }), (open) => open !== undefined)
    yield* kept.sweep(pipeline.name, isOpen)
  }
  const run = kept === undefined ? undefined : yield* kept.begin(held.run)
  // What is incomplete may be read on, whatever an earlier attempt has noted of its end.
  const end = run?.end?.status === "incomplete" ? undefined : run?.end
  const own = vault === undefined || run === undefined ? undefined : { ...run, end, maxBytes: vault.maxBytes }
  return yield* openSessions(pipeline, connected, { ...held, lease, vault: own })
})

/** A lease in the name of this process. */
export const leaseOf = (duration: Duration.Input): Effect.Effect<Lease> =>
  Effect.map(makeHolder, (holder) => ({ holder, durationMs: Duration.toMillis(duration) }))

/** Opens a session of every sink for a run that is held, and gathers what earlier attempts have left. */
export const openSessions = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  { connections, ledger }: Connected,
  { isNew, lease, run, vault }: HeldRun & Pick<Begun, "lease" | "vault">
): Effect.fn.Return<Begun, SinkError | LedgerError> {
  const allowance = yield* allowanceOf(pipeline.budget, ledger, run)
  const targets = yield* Effect.forEach(connections, ({ connection, kind, name }) =>
    Effect.gen(function* () {
      const session = yield* connection.begin(run)
      const earlier = isNew ? nothing : yield* earlierOf(ledger, run.runId, name)
      return { name, kind, session, ...earlier }
    })
  )
  const kept = vault?.segments ?? []
  const seen = seenBy(targets, kept)
  const earlier = isNew ? undefined : (yield* ledger.runs({ runId: run.runId, limit: 1 }))[0]
  const begun = { run, ledger, lease, targets, allowance, vault, seen, supersedes: earlier?.superseded.at(-1) }
  if (isNew && kept.length === 0) return { ...begun, submissions: new Map(), tracker: new RunTracker(run.startedAt) }
  const submissions = new Map<number, Submission>()
  yield* Stream.runForEach(ledger.submissions(run.runId), (submission) =>
    Effect.sync(() => void submissions.set(submission.ordinal, submission))
  )
  const jobIds = new Set(targets.flatMap(({ held }) => [...held.keys()]))
  for (const { keys } of kept) for (const { jobId } of keys) jobIds.add(jobId)
  let delivered = 0
  for (const jobId of jobIds) delivered += seen(jobId).size
  const state = withKept(yield* ledger.state(run.runId), kept)
  const summarised = new Map(targets.map(({ held, name }) => [name, held.keys()]))
  const committed = new Map(targets.map(({ held, name }) => [name, sizeOf(held)]))
  return { ...begun, submissions, tracker: new RunTracker(run.startedAt, { state, delivered, summarised, committed }) }
})

const sizeOf = (held: ReadonlyMap<string, KeySet>): number =>
  [...held.values()].reduce((sum, { size }) => sum + size, 0)

const nothing: Pick<Target, "held" | "landed"> = { held: new Map(), landed: new Set() }

const earlierOf = Effect.fnUntraced(function* (ledger: Ledger, runId: string, sink: string) {
  const held = new Map<string, KeySet>()
  const landed = new Set<number>()
  yield* Stream.runForEach(ledger.committed(runId, sink), ({ keys, seq }) =>
    Effect.sync(() => {
      landed.add(seq)
      for (const of of keys) addKeys(held, of.jobId, of.keys)
    })
  )
  return { held, landed }
})

const addKeys = (held: Map<string, KeySet>, jobId: string, keys: Iterable<bigint>): void => {
  const set = held.get(jobId) ?? new KeySet()
  for (const key of keys) set.add(key)
  held.set(jobId, set)
}

const seenBy = (targets: ReadonlyArray<Target>, kept: ReadonlyArray<KeptSegment>): Begun["seen"] => {
  const inVault = new Map<string, KeySet>()
  for (const { keys } of kept) for (const of of keys) addKeys(inVault, of.jobId, of.keys)
  return (jobId) => {
    const seen = new KeySet()
    const [first, ...others] = targets.map(({ held }) => held.get(jobId))
    for (const key of first ?? []) if (others.every((held) => held?.has(key) === true)) seen.add(key)
    for (const key of inVault.get(jobId) ?? []) seen.add(key)
    return seen
  }
}

/** What the ledger knows and what the vault holds: a segment may be kept of which no sink has taken anything yet. */
const withKept = (state: RunState, kept: ReadonlyArray<KeptSegment>): RunState => {
  const jobs = new Map(state.jobs.map((job) => [job.jobId, job]))
  for (const segment of kept) {
    for (const job of segment.jobs) {
      const known = jobs.get(job.jobId)
      if (known === undefined || supersedes(job, known)) jobs.set(job.jobId, job)
    }
  }
  return {
    ...state,
    lastSeq: Math.max(state.lastSeq, ...kept.map(({ seq }) => seq)),
    jobs: [...jobs.values()],
    drift: [...new Set([...state.drift, ...kept.flatMap(({ drift }) => drift)])].sort()
  }
}
