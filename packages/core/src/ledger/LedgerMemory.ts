import { randomUUID } from "node:crypto"
import { isTerminal } from "@sluice/contract"
import { Clock, Effect, Stream } from "effect"
import { isLater, type JobSnapshot } from "../record/JobSnapshot.ts"
import { mergeFailures } from "../record/PageFailures.ts"
import { addRows, noRows } from "../record/Segment.ts"
import { addTallies, noTally } from "../record/Tally.ts"
import {
  type CommittedSegment,
  Fenced,
  type Lease,
  LeaseHeld,
  type Ledger,
  LedgerError,
  type OpenRun,
  RunExists,
  type RunHandle,
  type RunIntent,
  type RunSummary,
  type SegmentCommit,
  type Submission,
  UnknownRun,
  unpublishedKept
} from "./Ledger.ts"
import type { Receipt, RunStatus } from "./Receipt.ts"

interface Entry {
  intent: RunIntent
  epoch: number
  status: RunStatus | "running"
  holder: string | null
  leaseUntil: number
  receipt: Receipt | null
  readonly superseded: Array<Receipt>
  publishedAt: number | null
  /** What it had cost when it ended. */
  cost: number | null
  readonly submissions: Map<number, Submission>
  readonly segments: Map<string, SegmentCommit>
  /** The latest snapshot of each job. */
  readonly jobs: Map<string, JobSnapshot>
}

/** Records submissions of a run that was lost. A job ID that is already known is kept. */
const recordAll = (entry: Entry, submissions: ReadonlyArray<Submission>): void => {
  for (const submission of submissions) {
    const jobId = submission.jobId ?? entry.submissions.get(submission.ordinal)?.jobId ?? null
    entry.submissions.set(submission.ordinal, { ...submission, jobId })
  }
}

/**
 * Makes a ledger that lasts as long as the process: for tests, and for pipelines that need not survive a crash.
 *
 * A run that this process leaves open is not resumed by the next one, which would pay again. Its operations fail with
 * `LedgerError` as those of other ledgers do.
 *
 * @example
 * ```ts
 * import { Crawl, makeLedgerMemory, Pipeline } from "@sluice/core"
 * import { Directory } from "@sluice/sink-s3"
 *
 * const ledger = makeLedgerMemory()
 * const pipeline = Pipeline.make({
 *   name: "docs",
 *   source: Crawl.make({ url: "https://example.com/" }),
 *   sinks: [Directory.sink({ path: "lake" })]
 * })
 * const receipt = Pipeline.run(pipeline, { ledger })
 * ```
 */
export const makeLedgerMemory = (): Ledger => {
  const entries = new Map<string, Entry>()

  const find = (operation: string, runId: string): Effect.Effect<Entry, LedgerError> => {
    const entry = entries.get(runId)
    return entry === undefined
      ? Effect.fail(new LedgerError({ operation, reason: new UnknownRun({ runId }) }))
      : Effect.succeed(entry)
  }

  /** The entry of a run this process still holds. */
  const held = (operation: string, run: Pick<RunHandle, "runId" | "epoch">): Effect.Effect<Entry, LedgerError> =>
    find(operation, run.runId).pipe(
      Effect.filterOrFail(
        (entry) => entry.epoch === run.epoch,
        ({ epoch }) => new LedgerError({ operation, reason: new Fenced({ epoch: run.epoch, current: epoch }) })
      )
    )

  return {
    store: entries,
    begin: (intent, lease, options) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const last = newestFirst(entries).find(([, entry]) => entry.intent.pipeline === intent.pipeline)
        if (options?.unlessOpen === true && last !== undefined && last[1].receipt === null) {
          const [lastId, { holder }] = last
          const reason = new LeaseHeld({ runId: lastId, holder: holder ?? "another process" })
          return Effect.fail(new LedgerError({ operation: "begin", reason }))
        }
        const runId = options?.runId ?? randomUUID()
        if (entries.has(runId)) {
          return Effect.fail(new LedgerError({ operation: "begin", reason: new RunExists({ runId }) }))
        }
        const entry: Entry = {
          intent,
          epoch: 1,
          receipt: null,
          publishedAt: null,
          cost: null,
          ...nothing(),
          ...leaseHeldBy(lease, now)
        }
        entries.set(runId, entry)
        return Effect.succeed({ ...intent, runId, epoch: 1 })
      }),
    open: (which) =>
      Effect.map(Clock.currentTimeMillis, (now): OpenRun | undefined => {
        const found = newestFirst(entries).find(([runId, { intent }]) =>
          "runId" in which ? runId === which.runId : intent.pipeline === which.pipeline
        )
        if (found === undefined || found[1].receipt !== null) return undefined
        const [runId, { holder, intent, leaseUntil }] = found
        return { runId, ...intent, holder, leaseLeftMs: leaseUntil - now }
      }),
    restore: ({ epoch = 1, runId, submissions = [], ...intent }, lease, forgotten) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const known = entries.get(runId)
        if (known === undefined) {
          entries.set(runId, {
            intent,
            epoch,
            receipt: null,
            publishedAt: null,
            cost: null,
            ...nothing(),
            ...leaseHeldBy(lease, now)
          })
          recordAll(entries.get(runId)!, submissions)
          return Effect.succeed({ ...intent, runId, epoch })
        }
        const { holder, leaseUntil, segments } = known
        if (holder !== null && leaseUntil > now) {
          return Effect.fail(new LedgerError({ operation: "restore", reason: new LeaseHeld({ runId, holder }) }))
        }
        known.intent = { ...known.intent, configHash: intent.configHash }
        Object.assign(known, { receipt: null, publishedAt: null, cost: null }, leaseHeldBy(lease, now))
        for (const [key, { sink }] of segments) if (forgotten.includes(sink)) segments.delete(key)
        known.epoch = Math.max(known.epoch + 1, epoch)
        recordAll(known, submissions)
        return Effect.succeed({ ...known.intent, runId, epoch: known.epoch })
      }),
    takeOver: (runId, lease, displacing) =>
      find("take over", runId).pipe(
        Effect.filterOrFail(
          ({ receipt }) => receipt === null,
          () => new LedgerError({ operation: "take over", reason: new UnknownRun({ runId }) })
        ),
        Effect.flatMap((entry) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const { holder, leaseUntil } = entry
            if (holder !== null && leaseUntil > now && holder !== displacing) {
              return Effect.fail(new LedgerError({ operation: "take over", reason: new LeaseHeld({ runId, holder }) }))
            }
            Object.assign(entry, leaseHeldBy(lease, now))
            return Effect.succeed({ ...entry.intent, runId, epoch: ++entry.epoch })
          })
        )
      ),
    renew: (run, lease) =>
      Effect.flatMap(held("renew", run), (entry) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          if (entry.holder !== null) Object.assign(entry, leaseHeldBy(lease, now))
        })
      ),
    suspend: (run, status) =>
      Effect.map(held("suspend", run), (entry) => {
        if (entry.receipt === null) Object.assign(entry, { status, holder: null, leaseUntil: 0 })
      }),
    state: (runId) =>
      Effect.map(find("state", runId), (entry) => {
        const { segments } = entry
        const loaded = new Map<string, Pick<SegmentCommit, "rows" | "deadLetters" | "tally" | "failures">>()
        let lastSeq = 0
        for (const segment of segments.values()) {
          lastSeq = Math.max(lastSeq, segment.seq)
          const before = loaded.get(segment.sink) ?? { rows: noRows, deadLetters: 0, tally: noTally }
          const failures = mergeFailures(before.failures ?? [], segment.failures ?? [])
          loaded.set(segment.sink, {
            rows: addRows(before.rows, segment.rows),
            deadLetters: before.deadLetters + segment.deadLetters,
            tally: addTallies(before.tally, segment.tally),
            ...(failures.length === 0 ? {} : { failures })
          })
        }
        const drift = new Set([...segments.values()].flatMap((segment) => segment.drift ?? []))
        return { lastSeq, jobs: [...entry.jobs.values()], loaded, drift: [...drift].sort() }
      }),
    recordIntent: (run, intent) =>
      Effect.map(held("record intent", run), (entry) => {
        if (!entry.submissions.has(intent.ordinal)) entry.submissions.set(intent.ordinal, { ...intent, jobId: null })
      }),
    recordJob: (run, ordinal, jobId) =>
      Effect.map(held("record job", run), (entry) => {
        const submission = entry.submissions.get(ordinal)
        if (submission !== undefined) entry.submissions.set(ordinal, { ...submission, jobId })
      }),
    rollbackIntent: (run, ordinal) =>
      Effect.map(held("roll back intent", run), (entry) => {
        if (entry.submissions.get(ordinal)?.jobId === null) entry.submissions.delete(ordinal)
      }),
    findKnown: (jobIds) =>
      Effect.sync(() => {
        const known = new Set<string>()
        for (const { submissions } of entries.values()) {
          for (const { jobId } of submissions.values()) if (jobId !== null) known.add(jobId)
        }
        return new Set(jobIds.filter((jobId) => known.has(jobId)))
      }),
    spent: ({ exceptRun, from = -Infinity, pipeline, to = Infinity }) =>
      Effect.sync(() => {
        let tokens = 0
        for (const [runId, entry] of entries) {
          const { pipeline: name, startedAt } = entry.intent
          if (runId === exceptRun || name !== pipeline || startedAt < from || startedAt >= to) continue
          tokens += entry.cost ?? costOf(entry)
        }
        return tokens
      }),
    submissions: (runId) =>
      Stream.suspend(() =>
        Stream.fromIterable([...(entries.get(runId)?.submissions.values() ?? [])].sort((a, b) => a.ordinal - b.ordinal))
      ),
    commit: (commit) =>
      Effect.map(held("commit", commit), (entry) => {
        const key = `${commit.sink}\n${commit.seq}`
        if (entry.segments.has(key)) return
        entry.segments.set(key, commit)
        for (const job of commit.jobs) {
          const known = entry.jobs.get(job.jobId)
          if (known === undefined || isLater(job, known)) entry.jobs.set(job.jobId, job)
        }
      }),
    committed: (runId, sink) =>
      Stream.suspend(() =>
        Stream.fromIterable(
          [...(entries.get(runId)?.segments.values() ?? [])]
            .filter((segment) => segment.sink === sink)
            .sort((a, b) => a.seq - b.seq)
            .map(({ epoch, keys, seq }): CommittedSegment => ({ seq, epoch, keys }))
        )
      ),
    end: (run, receipt) =>
      Effect.map(held("end", run), (entry) => {
        if (entry.receipt !== null) return
        Object.assign(entry, { receipt, cost: costOf(entry), status: receipt.status, holder: null, leaseUntil: 0 })
      }),
    reopen: (runId, lease) =>
      find("reopen", runId).pipe(
        Effect.flatMap((entry) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const { holder, receipt } = entry
            if (receipt === null) {
              const reason = new LeaseHeld({ runId, holder: holder ?? "another process" })
              return Effect.fail(new LedgerError({ operation: "reopen", reason }))
            }
            entry.superseded.push(receipt)
            Object.assign(entry, { receipt: null, publishedAt: null, cost: null }, leaseHeldBy(lease, now))
            return Effect.succeed({ ...entry.intent, runId, epoch: ++entry.epoch })
          })
        )
      ),
    published: (run, at) =>
      Effect.map(held("published", run), (entry) => {
        if (entry.receipt !== null) entry.publishedAt ??= at
      }),
    unpublished: (pipeline) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        newestFirst(entries)
          .filter(([, { intent }]) => intent.pipeline === pipeline)
          .map(([runId, entry]) => summaryOf(runId, entry))
          .filter(({ publishedAt, receipt }) => receipt?.unpublished !== undefined && publishedAt === null)
          .slice(0, unpublishedKept.runs)
          .filter(({ finishedAt }) => finishedAt !== null && finishedAt > now - unpublishedKept.days * dayMs)
      ),
    runs: ({ idPrefix = "", limit, pipeline, runId: only, since = Number.NEGATIVE_INFINITY, status }) =>
      Effect.sync(() =>
        newestFirst(entries)
          .filter(([, entry]) => pipeline === undefined || entry.intent.pipeline === pipeline)
          .filter(([runId]) => (only === undefined || runId === only) && runId.startsWith(idPrefix))
          .filter(([, entry]) => status === undefined || entry.status === status)
          .filter(([, { intent }]) => intent.startedAt >= since)
          .slice(0, limit)
          .map(([runId, entry]) => summaryOf(runId, entry))
      )
  }
}

const dayMs = 86_400_000

const summaryOf = (runId: string, { epoch, intent, publishedAt, receipt, status, superseded }: Entry): RunSummary => ({
  runId,
  ...intent,
  status,
  epoch,
  finishedAt: receipt === null ? null : Date.parse(receipt.finished_at),
  publishedAt,
  receipt,
  superseded: [...superseded]
})

const nothing = (): Pick<Entry, "submissions" | "segments" | "jobs" | "superseded"> => ({
  superseded: [],
  submissions: new Map(),
  segments: new Map(),
  jobs: new Map()
})

/** What a run has cost, and may still cost where that is not known to be over. */
const costOf = ({ jobs, submissions }: Entry): number => {
  let tokens = 0
  for (const submission of submissions.values()) {
    const job = jobs.get(submission.jobId ?? "")
    const told = job === undefined ? 0 : job.tokensCharged + job.tokensReserved
    tokens += job !== undefined && isTerminal(job.status) ? told : Math.max(submission.tokens, told)
  }
  return tokens
}

/** The run begun last is the newest, whenever this process heard of it. */
const newestFirst = (entries: ReadonlyMap<string, Entry>): ReadonlyArray<[string, Entry]> =>
  [...entries].reverse().sort(([, a], [, b]) => b.intent.startedAt - a.intent.startedAt)

const leaseHeldBy = (lease: Lease, now: number) => ({
  status: "running" as const,
  holder: lease.holder,
  leaseUntil: now + lease.durationMs
})
