import type { JobKind } from "@sluice/core/sink"

/** One request as it came in, and what was done to it. */
export interface ReceivedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** The name of the fault that was played, if one was. */
  readonly fault: string | null
}

/** A job that was made, and what it has cost so far. */
export interface ChargedJob {
  readonly jobId: string
  readonly kind: JobKind
  readonly url: string
  readonly tokens: number
}

/** Pages that ended, as they were first seen to: each of `ok` has cost a token. Epoch milliseconds. */
export interface EndedPages {
  readonly at: number
  readonly ok: number
  readonly failed: number
}

/** The provider's own ledger: what was asked, what was made, what it cost. The other side of a run's receipt. */
export class ChargeLedger {
  readonly #requests: Array<ReceivedRequest> = []
  readonly #jobs = new Map<string, ChargedJob>()
  readonly #failed = new Map<string, number>()
  readonly #ended: Array<EndedPages> = []
  /** Requests that came without the right key. */
  unauthorized = 0

  /** Every request, in the order of arrival, refused ones included. */
  get requests(): ReadonlyArray<ReceivedRequest> {
    return this.#requests
  }

  /** Every job made, in order, with what it has cost. */
  get jobs(): ReadonlyArray<ChargedJob> {
    return [...this.#jobs.values()]
  }

  /** Tokens charged over all jobs. */
  get tokens(): number {
    return this.jobs.reduce((sum, job) => sum + job.tokens, 0)
  }

  /** What ended when, in the order in which it was seen. */
  get ended(): ReadonlyArray<EndedPages> {
    return this.#ended
  }

  /** The number of requests of a method. */
  received(method: "GET" | "POST" | "DELETE"): number {
    return this.#requests.filter((request) => request.method === method).length
  }

  /** The books as plain data, for a file or another process. */
  toJSON() {
    const { jobs, requests, tokens, unauthorized } = this
    return { tokens, unauthorized, jobs, requests }
  }

  /** @internal */
  note(request: ReceivedRequest): void {
    this.#requests.push(request)
  }

  /** @internal Sets what a job has cost, and how many of its pages failed, by an instant; neither ever falls. */
  charge(job: ChargedJob, at: number, failed = 0): void {
    const { tokens: costBefore = 0 } = this.#jobs.get(job.jobId) ?? {}
    const failedBefore = this.#failed.get(job.jobId) ?? 0
    this.#jobs.set(job.jobId, { ...job, tokens: Math.max(job.tokens, costBefore) })
    this.#failed.set(job.jobId, Math.max(failed, failedBefore))
    const more = { at, ok: Math.max(0, job.tokens - costBefore), failed: Math.max(0, failed - failedBefore) }
    if (more.ok + more.failed > 0) this.#ended.push(more)
  }
}
