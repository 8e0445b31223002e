import type { JobId } from "@sluice/contract"
import { Clock, Duration, Effect } from "effect"
import { CurrentRequestCounter } from "../api/RequestCounter.ts"
import type { ScraperError } from "../api/ScraperError.ts"

/** The longest pause between two attempts to cancel a job, in milliseconds. */
const longestPause = 60_000
/** How long a cancellation that was taken on may take to be seen, in milliseconds. */
const acceptedPause = 30_000

/**
 * The cancellation of one job: asked for again, in growing pauses, until the job is seen to have ended. One request may be lost,
 * or answered with an error after it took effect; whether the job has ended is told by reading it alone.
 */
export class JobCancellation {
  readonly #jobId: JobId
  readonly #send: Effect.Effect<void, ScraperError>
  #pause: number
  #nextAt = Number.NEGATIVE_INFINITY
  #isWanted = false
  #sent = 0

  constructor(jobId: JobId, send: Effect.Effect<void, ScraperError>, firstPause: Duration.Input) {
    this.#jobId = jobId
    this.#send = send
    this.#pause = Duration.toMillis(firstPause)
  }

  /** From now on the job is to be cancelled. */
  want(): void {
    this.#isWanted = true
  }

  /** To be called after each answer about a job that has not ended. Fails never: the next call goes on. */
  readonly pursue: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    const now = yield* Clock.currentTimeMillis
    if (!this.#isWanted || now < this.#nextAt) return
    this.#nextAt = Number.POSITIVE_INFINITY
    const counter = yield* CurrentRequestCounter
    const isRepeated = this.#sent++ > 0
    const result = yield* Effect.result(this.#send)
    if (isRepeated) {
      counter.submitted--
      counter.retries++
    }
    const isTaken = result._tag === "Success" || result.failure.reason._tag === "Conflict"
    if (result._tag === "Failure" && !isTaken && !isRepeated) {
      yield* Effect.logWarning(
        `job ${this.#jobId} could not be cancelled: ${result.failure.message}; it is asked again until the job has ended`
      )
    }
    this.#pause = isTaken ? acceptedPause : Math.min(longestPause, this.#pause * 2)
    this.#nextAt = (yield* Clock.currentTimeMillis) + this.#pause
  })
}
