import type { RunState } from "../../ledger/Ledger.ts"
import type { Receipt } from "../../ledger/Receipt.ts"
import { DriftNames } from "../../record/Drift.ts"
import { isNewer, type JobSnapshot } from "../../record/JobSnapshot.ts"
import { type FailureCount, FailureTally } from "../../record/PageFailures.ts"
import type { PageRecord } from "../../record/PageRecord.ts"
import { addRows, type DatasetCounts, noRows, type Segment } from "../../record/Segment.ts"
import { addTallies, noTally, type Tally } from "../../record/Tally.ts"
import type { WriteResult } from "../../sink/Sink.ts"

/** What a sink has taken, and what was counted of the records it was given. */
export interface LoadResult extends WriteResult {
  readonly tally: Tally
  readonly failures?: ReadonlyArray<FailureCount>
}

/** What a sink has taken of a run. */
export interface SinkTotals extends LoadResult {
  readonly rows: DatasetCounts
}

/** A run's receipt holds so many notes, and so much of each. */
const mostNotes = 50
const longestNote = 500

/**
 * How far a run is: what its jobs say, what was delivered, what the sink with the fewest pages holds. Times are epoch
 * milliseconds. All counts include earlier attempts of the run; `pages.discovered` may grow while the job runs, so it is no total.
 *
 * @example
 * ```ts
 * import type { Progress, RunOptions } from "@sluice/core"
 * import { Console } from "effect"
 *
 * const show = ({ pages, tokens }: Progress) => Console.error(`${pages.delivered}/${pages.discovered} ${tokens.charged} tokens`)
 * const options: RunOptions = { onProgress: show }
 * ```
 */
export interface Progress {
  readonly startedAt: number
  readonly jobs: number
  readonly pages: Receipt["pages"]
  readonly tokens: Receipt["tokens"]
  readonly rows: DatasetCounts
  /** Pages of the source that each sink has committed, quarantined ones and those a transform dropped included. */
  readonly sinks: ReadonlyArray<{ readonly name: string; readonly pages: number }>
}

/**
 * What a run has seen so far, kept by one process while it runs. Holds a snapshot a job and totals, never pages. Totals are
 * kept up as snapshots arrive, so a run of many small jobs is not recounted at each.
 */
export class RunTracker {
  readonly #jobs = new Map<string, JobSnapshot>()
  readonly #moved = new Set<string>()
  readonly #loaded = new Map<string, SinkTotals>()
  /** The jobs whose counters each sink has. */
  readonly #summarised = new Map<string, Set<string>>()
  readonly #startedAt: number
  readonly #drift: DriftNames
  #seq = 0
  #delivered = 0
  /** Pages of all segments each sink has committed, quarantined pages and those a transform dropped included. */
  readonly #committed = new Map<string, number>()
  /** Failed pages by code, of all segments each sink has committed. */
  readonly #failures = new Map<string, FailureTally>()
  readonly #notes = new Set<string>()
  #pages = { discovered: 0, completed: 0, failed: 0, cancelled: 0 }
  #tokens = { charged: 0, reserved: 0 }

  /**
   * `earlier` is what attempts before this one have left, `delivered` how many of their pages need not be read again,
   * `summarised` the jobs whose counters each sink has, `committed` the pages of its segments.
   */
  constructor(
    startedAt: number,
    earlier?: {
      readonly state: RunState
      readonly delivered: number
      readonly summarised: ReadonlyMap<string, Iterable<string>>
      readonly committed?: ReadonlyMap<string, number>
    }
  ) {
    this.#startedAt = startedAt
    this.#drift = new DriftNames(earlier?.state.drift)
    if (earlier === undefined) return
    this.#seq = earlier.state.lastSeq
    this.#delivered = earlier.delivered
    for (const [sink, { failures = [], ...result }] of earlier.state.loaded) {
      this.#loaded.set(sink, result)
      this.#addFailures(sink, failures)
    }
    for (const [sink, pages] of earlier.committed ?? []) this.#committed.set(sink, pages)
    for (const [sink, jobs] of earlier.summarised) this.#summarised.set(sink, new Set(jobs))
    for (const job of earlier.state.jobs) {
      this.#jobs.set(job.jobId, job)
      this.#count(job, 1)
    }
  }

  /** Takes an answer's snapshot in, unless what is known of the job is further on. */
  observe(answer: JobSnapshot): void {
    const before = this.#jobs.get(answer.jobId)
    if (before !== undefined && !isNewer(answer, before)) return
    // A clock may be behind that of the process before: stores order snapshots by time, and this one is the later.
    const observedAt = Math.max(answer.observedAt, before === undefined ? 0 : before.observedAt + 1)
    const snapshot = { ...answer, observedAt }
    if (before !== undefined) this.#count(before, -1)
    this.#count(snapshot, 1)
    this.#jobs.set(snapshot.jobId, snapshot)
    this.#moved.add(snapshot.jobId)
  }

  /** Counts a record as delivered by the source, and takes note of what of it is not known. */
  deliver(record: Pick<PageRecord, "extra" | "unread" | "refusal">): void {
    this.#delivered++
    if (record.extra !== null || record.refusal !== null) this.#drift.meet(record)
  }

  /** Makes the next segment of records, with the jobs that have moved. Undefined when there is nothing to say. */
  segment(
    run: Pick<Segment, "runId" | "epoch">,
    records: ReadonlyArray<PageRecord>,
    bytes: number
  ): Segment | undefined {
    for (const record of records) this.#moved.add(record.jobId)
    if (this.#moved.size === 0) return undefined
    const jobs: Array<JobSnapshot> = []
    for (const jobId of this.#moved) {
      const snapshot = this.#jobs.get(jobId)
      if (snapshot !== undefined) jobs.push(snapshot)
    }
    this.#moved.clear()
    const drift = this.#drift.takeNew()
    const segment = { runId: run.runId, epoch: run.epoch, seq: ++this.#seq, records, jobs, bytes }
    return drift.length === 0 ? segment : { ...segment, drift }
  }

  /** Counts what a sink has taken: of so many pages, and the counters of these jobs. */
  addLoaded(sink: string, result: LoadResult, jobs: ReadonlyArray<JobSnapshot>, pages = 0): void {
    this.#committed.set(sink, (this.#committed.get(sink) ?? 0) + pages)
    this.#addFailures(sink, result.failures ?? [])
    const before = this.loaded(sink)
    const summarised = this.#summarised.get(sink) ?? new Set()
    for (const { jobId } of jobs) summarised.add(jobId)
    this.#summarised.set(sink, summarised)
    this.#loaded.set(sink, {
      rows: addRows(before.rows, { ...noRows, ...result.rows }),
      deadLetters: before.deadLetters + result.deadLetters,
      tally: addTallies(before.tally, result.tally)
    })
  }

  /** What a sink holds of this run. */
  loaded(sink: string): SinkTotals {
    const loaded = this.#loaded.get(sink) ?? { rows: noRows, deadLetters: 0, tally: noTally }
    return { ...loaded, rows: { ...loaded.rows, token_summaries: this.#summarised.get(sink)?.size ?? 0 } }
  }

  /** How many pages of the source every one of these sinks has committed. */
  committedIn(sinks: ReadonlyArray<string>): number {
    return Math.min(...sinks.map((sink) => this.#committed.get(sink) ?? 0))
  }

  /** Failed pages by code, as the sink knows them that has committed the most pages. */
  get failures(): ReadonlyArray<FailureCount> {
    const [most] = [...this.#committed].toSorted(([, a], [, b]) => b - a)
    return (most === undefined ? undefined : this.#failures.get(most[0]))?.all ?? []
  }

  /** Keeps a sentence that explains what the counts do not. */
  explain(note: string): void {
    if (this.#notes.size < mostNotes) this.#notes.add(note.slice(0, longestNote).toWellFormed())
  }

  /** What {@link explain} was told, each sentence once. */
  get notes(): ReadonlyArray<string> {
    return [...this.#notes]
  }

  /** Names of members the contract does not know, or whose values could not be read. */
  get drift(): ReadonlyArray<string> {
    return this.#drift.all
  }

  /** The latest snapshot of a job. */
  job(jobId: string): JobSnapshot | undefined {
    return this.#jobs.get(jobId)
  }

  /** The latest snapshot of every job. */
  get jobs(): ReadonlyArray<JobSnapshot> {
    return [...this.#jobs.values()]
  }

  get progress(): Progress {
    const sinks = [...this.#loaded.keys()].map((sink) => this.loaded(sink))
    return {
      startedAt: this.#startedAt,
      jobs: this.#jobs.size,
      pages: { ...this.#pages, delivered: this.#delivered },
      tokens: { ...this.#tokens },
      sinks: Array.from(this.#committed, ([name, pages]) => ({ name, pages })),
      rows: sinks.reduce((least, { rows }) => (rows.pages < least.pages ? rows : least), sinks[0]?.rows ?? noRows)
    }
  }

  #addFailures(sink: string, failures: ReadonlyArray<FailureCount>): void {
    if (failures.length === 0) return
    const tally = this.#failures.get(sink) ?? new FailureTally()
    tally.add(failures)
    this.#failures.set(sink, tally)
  }

  #count(snapshot: JobSnapshot, sign: 1 | -1): void {
    this.#pages.discovered += sign * snapshot.discovered
    this.#pages.completed += sign * snapshot.completed
    this.#pages.failed += sign * snapshot.failed
    this.#pages.cancelled += sign * snapshot.cancelled
    this.#tokens.charged += sign * snapshot.tokensCharged
    this.#tokens.reserved += sign * snapshot.tokensReserved
  }
}
