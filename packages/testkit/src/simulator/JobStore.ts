import {
  type BatchRequest,
  type CrawlRequest,
  type ExtractRequest,
  isTerminal,
  JobId,
  type MapRequest
} from "@sluice/contract"
import type { DateTime } from "effect"
import type { ChargeLedger } from "./ChargeLedger.ts"
import { cancelledState, type JobHistory, type JobState } from "./JobHistory.ts"
import { uuid } from "./Rng.ts"

/** What each kind of job was asked. */
export interface Requests {
  readonly crawl: CrawlRequest
  readonly batch: BatchRequest
  readonly extract: ExtractRequest
  readonly map: MapRequest
}

/** A job as the API keeps it. */
export interface StoredJob<K extends keyof Requests = keyof Requests> {
  readonly id: JobId
  readonly kind: K
  readonly url: string
  readonly request: Requests[K]
  readonly history: JobHistory
  readonly createdAt: number
  /** Reads of the list so far that left it out. */
  hiddenReads: number
  polls: number
  /** Its state since it was cancelled. */
  cancelledAt: JobState | undefined
  endedAt: number | null
}

/** The jobs of the one account there is. */
export class JobStore {
  readonly #seed: number
  readonly #charges: ChargeLedger
  readonly #jobs = new Map<string, StoredJob>()

  constructor(seed: number, charges: ChargeLedger) {
    this.#seed = seed
    this.#charges = charges
  }

  /** How many jobs of a kind were made. */
  count(kind: keyof Requests): number {
    return [...this.#jobs.values()].filter((job) => job.kind === kind).length
  }

  /** Makes a job. From here on it costs. */
  create<K extends keyof Requests>(
    kind: K,
    url: string,
    request: Requests[K],
    history: JobHistory,
    now: number
  ): StoredJob<K> {
    const job: StoredJob<K> = {
      id: JobId.make(uuid(this.#seed, this.#jobs.size)),
      kind,
      url,
      request,
      history,
      createdAt: now,
      hiddenReads: 0,
      polls: 0,
      cancelledAt: undefined,
      endedAt: null
    }
    this.#jobs.set(job.id, job)
    this.#charges.charge({ jobId: job.id, kind, url, tokens: 0 }, now)
    return job
  }

  find<K extends keyof Requests>(kind: K, id: string): StoredJob<K> | undefined {
    const job = this.#jobs.get(id)
    return job !== undefined && isOf(job, kind) ? job : undefined
  }

  /** Lets a poll pass and says what it shows; undefined while or once the API does not know the job. */
  poll(job: StoredJob, now: number): JobState | undefined {
    const state = this.peek(job)
    job.polls++
    if (state === undefined) return undefined
    const { id: jobId, kind, url } = job
    this.#charges.charge({ jobId, kind, url, tokens: state.completed }, now, state.failed)
    if (isTerminal(state.status)) job.endedAt ??= now
    return state
  }

  /** What the next poll will show. */
  peek(job: StoredJob): JobState | undefined {
    return job.cancelledAt ?? job.history.at(job.polls)
  }

  /** Cancels a job as its last poll showed it; undefined when it has ended. */
  cancel(job: StoredJob, now: number): JobState | undefined {
    if (job.endedAt !== null) return undefined
    const last = job.history.at(Math.max(0, job.polls - 1))
    if (last === undefined || isTerminal(last.status)) return undefined
    job.cancelledAt = cancelledState(last)
    job.endedAt = now
    return last
  }

  /** The newest jobs of a kind first, as a list shows them; a job is missing from its first `lag` reads. */
  list<K extends keyof Requests>(kind: K, filter: ListFilter, lag: number): ReadonlyArray<StoredJob<K>> {
    const jobs = [...this.#jobs.values()].filter((job): job is StoredJob<K> => isOf(job, kind)).reverse()
    return jobs.filter((job) => {
      if (job.hiddenReads++ < lag) return false
      if (filter.start_date !== undefined && job.createdAt < filter.start_date.epochMilliseconds) return false
      if (filter.end_date !== undefined && job.createdAt > filter.end_date.epochMilliseconds) return false
      return filter.status === undefined || this.peek(job)?.status === filter.status
    })
  }

  /** Tokens charged and reserved over all jobs. */
  get committedTokens(): number {
    let sum = 0
    for (const job of this.#jobs.values()) {
      const state = this.peek(job)
      if (state !== undefined) sum += state.completed + reserved(state)
    }
    return sum
  }
}

/** The filters every job list has. */
export interface ListFilter {
  readonly status?: JobState["status"]
  readonly start_date?: DateTime.Utc
  readonly end_date?: DateTime.Utc
}

/** Tokens held back for pages still open. */
export const reserved = (state: JobState): number =>
  isTerminal(state.status) ? 0 : Math.max(0, state.total - state.completed - state.failed - state.cancelled)

/** One page of rows, with the members of the contract's lists. */
export const pageOf = <A>(
  rows: ReadonlyArray<A>,
  query: { readonly page?: number; readonly page_size?: number },
  size: number
) => {
  const page = query.page ?? 1
  const page_size = query.page_size ?? size
  return {
    jobs: rows.slice((page - 1) * page_size, page * page_size),
    page,
    page_size,
    page_count: Math.ceil(rows.length / page_size)
  }
}

const isOf = <K extends keyof Requests>(job: StoredJob, kind: K): job is StoredJob<K> => job.kind === kind
