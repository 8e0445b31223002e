import { Effect } from "effect"
import type { ScraperError } from "../api/ScraperError.ts"
import type { JobKind } from "../record/JobSnapshot.ts"
import { AllLost, AllRefused, SourceError } from "./SourceError.ts"
import { warn } from "./SubmissionLog.ts"

/** So many refusals are told one by one. */
const mostTold = 10

/** How many URLs of a source came to nothing: refused by the API, or their answers lost. One of many is one failed page. */
export class RefusalCount {
  readonly #source: JobKind
  readonly #urls: number
  #refused = 0
  #told = 0
  #lost = 0
  #last = "by an earlier attempt"

  constructor(source: JobKind, urls: number) {
    this.#source = source
    this.#urls = urls
  }

  /** Takes note of a URL that was refused when it was asked for, and tells of it. */
  refused(error: ScraperError, url: string): Effect.Effect<void> {
    return this.#count(`${url} was refused and counts as a failed page: ${error.message}`, error.message)
  }

  /** The same of one that a job of several was made without. */
  untaken(url: string, detail: string): Effect.Effect<void> {
    return this.#count(`${url} was refused and counts as a failed page: ${detail}`, `${url}: ${detail}`)
  }

  /** Takes note of one that was refused to an earlier attempt. */
  refusedEarlier(): void {
    this.#refused++
  }

  /** Takes note of a URL whose answer was lost. */
  lost(): void {
    this.#lost++
  }

  #count(sentence: string, detail: string): Effect.Effect<void> {
    this.#refused++
    this.#last = detail
    if (++this.#told > mostTold) return Effect.void
    return warn(this.#told < mostTold ? sentence : `${sentence}; further refusals are not told one by one`)
  }

  /** Fails where no URL has come to anything else. */
  readonly judge: Effect.Effect<void, SourceError> = Effect.suspend(() => {
    const urls = this.#urls
    const fail = (reason: SourceError["reason"]) => Effect.fail(new SourceError({ source: this.#source, reason }))
    if (this.#refused >= urls) return fail(new AllRefused({ urls, detail: this.#last }))
    return this.#lost >= urls ? fail(new AllLost({ urls })) : Effect.void
  })
}
