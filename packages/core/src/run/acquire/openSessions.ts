import { Effect, Stream } from "effect"
import type { Ledger, LedgerError, RunState, Submission } from "../../ledger/Ledger.ts"
import { isLater } from "../../record/JobSnapshot.ts"
import { KeySet } from "../../record/KeySet.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import type { StoredSegment } from "../../vault/Vault.ts"
import type { AcquiredRun } from "./acquireRun.ts"
import type { ConnectedSinks } from "./connectSinks.ts"
import type { RunContext, SinkTarget } from "./RunContext.ts"
import { RunTracker } from "./RunTracker.ts"

/** Opens a session of every sink for an acquired run, and reads what earlier attempts committed. */
export const openSessions = Effect.fnUntraced(function* (
  { connections, ledger }: Pick<ConnectedSinks, "connections" | "ledger">,
  { isNew, lease, run, vault }: AcquiredRun & Pick<RunContext, "lease" | "vault">
): Effect.fn.Return<RunContext, SinkError | LedgerError> {
  const targets = yield* Effect.forEach(connections, ({ connection, kind, name }) =>
    Effect.gen(function* () {
      const session = yield* connection.begin(run)
      const earlier = isNew ? nothing : yield* earlierOf(ledger, run.runId, name)
      return { name, kind, session, ...earlier }
    })
  )
  const kept = vault?.segments ?? []
  const seenKeys = seenKeysOf(targets, kept)
  const earlier = isNew ? undefined : (yield* ledger.runs({ runId: run.runId, limit: 1 }))[0]
  const context = { run, ledger, lease, targets, vault, seenKeys, supersedes: earlier?.superseded.at(-1) }
  if (isNew && kept.length === 0) return { ...context, submissions: new Map(), tracker: new RunTracker(run.startedAt) }
  const submissions = new Map<number, Submission>()
  yield* Stream.runForEach(ledger.submissions(run.runId), (submission) =>
    Effect.sync(() => void submissions.set(submission.ordinal, submission))
  )
  const jobIds = new Set(targets.flatMap(({ heldKeys }) => [...heldKeys.keys()]))
  for (const { keys } of kept) for (const { jobId } of keys) jobIds.add(jobId)
  let delivered = 0
  for (const jobId of jobIds) delivered += seenKeys(jobId).size
  const state = withKept(yield* ledger.state(run.runId), kept)
  const summarised = new Map(targets.map(({ heldKeys, name }) => [name, heldKeys.keys()]))
  const committed = new Map(targets.map(({ heldKeys, name }) => [name, sizeOf(heldKeys)]))
  return {
    ...context,
    submissions,
    tracker: new RunTracker(run.startedAt, { state, delivered, summarised, committed })
  }
})

const sizeOf = (held: ReadonlyMap<string, KeySet>): number =>
  [...held.values()].reduce((sum, { size }) => sum + size, 0)

const nothing: Pick<SinkTarget, "heldKeys" | "heldSegments"> = { heldKeys: new Map(), heldSegments: new Set() }

const earlierOf = Effect.fnUntraced(function* (ledger: Ledger, runId: string, sink: string) {
  const held = new Map<string, KeySet>()
  const heldSegments = new Set<number>()
  yield* Stream.runForEach(ledger.committed(runId, sink), ({ keys, seq }) =>
    Effect.sync(() => {
      heldSegments.add(seq)
      for (const of of keys) addKeys(held, of.jobId, of.keys)
    })
  )
  return { heldKeys: held, heldSegments }
})

const addKeys = (held: Map<string, KeySet>, jobId: string, keys: Iterable<bigint>): void => {
  const set = held.get(jobId) ?? new KeySet()
  for (const key of keys) set.add(key)
  held.set(jobId, set)
}

const seenKeysOf = (targets: ReadonlyArray<SinkTarget>, kept: ReadonlyArray<StoredSegment>): RunContext["seenKeys"] => {
  const inVault = new Map<string, KeySet>()
  for (const { keys } of kept) for (const of of keys) addKeys(inVault, of.jobId, of.keys)
  return (jobId) => {
    const seen = new KeySet()
    const [first, ...others] = targets.map(({ heldKeys }) => heldKeys.get(jobId))
    for (const key of first ?? []) if (others.every((held) => held?.has(key) === true)) seen.add(key)
    for (const key of inVault.get(jobId) ?? []) seen.add(key)
    return seen
  }
}

/** The state in the ledger and in the vault: the vault may hold a segment that no sink has committed yet. */
const withKept = (state: RunState, kept: ReadonlyArray<StoredSegment>): RunState => {
  const jobs = new Map(state.jobs.map((job) => [job.jobId, job]))
  for (const segment of kept) {
    for (const job of segment.jobs) {
      const known = jobs.get(job.jobId)
      if (known === undefined || isLater(job, known)) jobs.set(job.jobId, job)
    }
  }
  return {
    ...state,
    lastSeq: Math.max(state.lastSeq, ...kept.map(({ seq }) => seq)),
    jobs: [...jobs.values()],
    drift: [...new Set([...state.drift, ...kept.flatMap(({ drift }) => drift)])].sort()
  }
}
