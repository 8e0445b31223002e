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

/** The provider's own ledger: what was asked, what was made, what it cost. The other side of a run's receipt. */
export class ChargeLedger {
  readonly #requests: Array<ReceivedRequest> = []
  readonly #jobs = new Map<string, ChargedJob>()
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

  /** @internal Sets what a job has cost; it never falls. */
  charge(job: ChargedJob): void {
    const before = this.#jobs.get(job.jobId)
    this.#jobs.set(job.jobId, { ...job, tokens: Math.max(job.tokens, before?.tokens ?? 0) })
  }
}
