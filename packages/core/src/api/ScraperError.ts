import { Schema } from "effect"
import { inWords } from "./inWords.ts"

/** The API key is missing or wrong. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { detail: Schema.String }) {}
/** The balance does not cover the request. */
export class PaymentRequired extends Schema.TaggedError<PaymentRequired>()("PaymentRequired", {
  detail: Schema.String
}) {}
/** Throttled, or too many requests at once. `retryAfterMs` is what the server asked for, if it did. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  retryAfterMs: Schema.NullOr(Schema.Finite)
}) {}
/** There is no such job for this key. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { detail: Schema.String }) {}
/**
 * The server refuses the request. `code` is the server's, where it gives one; `fields` holds its messages by
 * field path, where it names fields.
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  status: Schema.Int,
  code: Schema.optionalKey(Schema.String),
  detail: Schema.String,
  fields: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String }))
}) {}
/** The job is in a state that forbids the call. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { detail: Schema.String }) {}
/** No answer, or the server says it cannot answer now. `status` is null when there was no answer at all. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  status: Schema.NullOr(Schema.Int),
  detail: Schema.String,
  retryAfterMs: Schema.NullOr(Schema.Finite),
  /** Whether the server says that asking again may help; absent where it says nothing. */
  retryable: Schema.optionalKey(Schema.Boolean)
}) {}
/**
 * An answer that is not what the contract says. `broken` tells a body cut short from one that is whole but of another
 * shape: only the first is worth asking for again. `foreign` is an answer of something that is no Scraper API at all, an HTML
 * page or a redirect: the request has never got to one.
 */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", {
  detail: Schema.String,
  broken: Schema.Boolean,
  foreign: Schema.optionalKey(Schema.Literal(true))
}) {}

/** Why the API, or the way to it, failed. */
export const ScraperReason = Schema.Union([
  Unauthorized,
  PaymentRequired,
  RateLimited,
  NotFound,
  InvalidRequest,
  Conflict,
  Unavailable,
  Unreadable
])
export type ScraperReason = typeof ScraperReason.Type

/**
 * Every failure of the Scraper API client. Carries no key, no header and no payload.
 *
 * `isRetryable` says whether asking again may help, not whether it costs anything: check `tookNoEffect` before a submission is
 * sent again. `retryAfterMs` is in milliseconds, and null where the server asked for no pause.
 *
 * @example
 * ```ts
 * import { Crawl } from "@sluice/core"
 * import { Effect, Stream } from "effect"
 *
 * const pages = Stream.runCount(Crawl.records({ url: "https://example.com/" })).pipe(
 *   Effect.catchTag("SourceError", ({ reason }) =>
 *     reason._tag === "ScraperError" && reason.reason._tag === "PaymentRequired" ? Effect.succeed(0) : Effect.fail(reason)
 *   )
 * )
 * ```
 */
export class ScraperError extends Schema.TaggedError<ScraperError>()("ScraperError", {
  operation: Schema.String,
  /** Scheme, host and port of the API. */
  origin: Schema.String,
  reason: ScraperReason,
  /** How long it was asked again, where it was. */
  failedForMs: Schema.optionalKey(Schema.Finite)
}) {
  /** Whether asking again, a little later, may help. Says nothing about whether asking again costs anything. */
  get isRetryable(): boolean {
    const { reason } = this
    switch (reason._tag) {
      case "RateLimited":
      case "Unavailable":
        return true
      case "Unreadable":
        return reason.broken
      default:
        return false
    }
  }
  /**
   * Whether a request that failed like this has certainly had no effect: the API refused it, or it never got there. Of any
   * other failure nothing is known; it may have taken effect and its answer been lost.
   */
  get tookNoEffect(): boolean {
    const { reason } = this
    switch (reason._tag) {
      case "Unavailable":
        return reason.status === null && neverSent.has(reason.detail)
      case "Unreadable":
        return reason.foreign === true
      default:
        return true
    }
  }
  /** How long the server asked to be left alone, in milliseconds. */
  get retryAfterMs(): number | null {
    const { reason } = this
    return reason._tag === "RateLimited" || reason._tag === "Unavailable" ? reason.retryAfterMs : null
  }
  override get message(): string {
    const lasted = this.failedForMs === undefined ? "" : `, for ${inWords(this.failedForMs)} on end`
    const wait = this.retryAfterMs
    const asked = wait === null || wait === 0 ? "" : `; it asks to wait ${inWords(wait)}`
    return `${describe(this.reason, this.origin)}${asked} (${this.operation}${lasted})`
  }
}

/** Network failures that come before a request is sent. */
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"])

const describe = (reason: ScraperReason, origin: string): string => {
  switch (reason._tag) {
    case "Unauthorized":
      return `the Scraper API at ${origin} refused the API key: check GEONODE_SCRAPER_API_KEY`
    case "PaymentRequired":
      return `the Scraper API refused for lack of balance: ${reason.detail}`
    case "RateLimited":
      return `the Scraper API at ${origin} is throttling this key`
    case "NotFound":
      return `the Scraper API does not know it: ${reason.detail}`
    case "InvalidRequest": {
      const fields = reason.fields.map((field) => `${field.path}: ${field.message}`).join("; ")
      return `the Scraper API refused the request (${reason.status}): ${fields === "" ? reason.detail : fields}`
    }
    case "Conflict":
      return `the Scraper API refused: ${reason.detail}`
    case "Unavailable":
      return reason.status === null
        ? `the Scraper API at ${origin} cannot be reached: ${reason.detail}`
        : `the Scraper API at ${origin} is unavailable (${reason.status}): ${reason.detail}`
    case "Unreadable":
      return `the Scraper API at ${origin} gave an answer that cannot be read: ${reason.detail}`
  }
}
