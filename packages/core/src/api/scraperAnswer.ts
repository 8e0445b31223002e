import { ErrorResponse, HTTPValidationError, SearchErrorResponse } from "@sluice/contract"
import { Clock, Effect, Option, Schema } from "effect"
import { HttpClientError, type HttpClientResponse } from "effect/http"
import { issuePath } from "../record/issuePath.ts"
import type { Redact } from "../secret/redactor.ts"
import {
  Conflict,
  InvalidRequest,
  NotFound,
  PaymentRequired,
  RateLimited,
  type ScraperReason,
  Unauthorized,
  Unavailable,
  Unreadable
} from "./ScraperError.ts"

/** The longest server message an error quotes, in characters. */
const longestQuote = 300
/** The longest error body that is read, in characters. */
const longestBody = 64 * 1024

const readEnvelope = Schema.decodeUnknownOption(Schema.fromJsonString(ErrorResponse))
const readValidation = Schema.decodeUnknownOption(Schema.fromJsonString(HTTPValidationError))
const readSearch = Schema.decodeUnknownOption(Schema.fromJsonString(SearchErrorResponse))

/** Hides before it cuts: a secret that is cut in two is not found. */
const quoting =
  (redact: Redact) =>
  (text: string): string => {
    const hidden = redact(text)
    return hidden.length > longestQuote ? `${hidden.slice(0, longestQuote)}…` : hidden
  }

interface ErrorBody {
  readonly code?: string
  readonly retryable?: boolean
  readonly detail: string
  readonly fields: ReadonlyArray<{ readonly path: string; readonly message: string }>
}

/** Tells the three error bodies and the empty one apart by their members. Any other body is not quoted. */
const readErrorBody = (body: string, status: number, redact: Redact): ErrorBody => {
  const text = body.slice(0, longestBody)
  const quote = quoting(redact)
  const validation = Option.getOrUndefined(readValidation(text))
  if (validation !== undefined) {
    const fields = validation.detail.map((issue) => ({
      path: quote(issue.loc.filter((part, index) => index > 0 || part !== "body").join(".")),
      message: quote(issue.msg)
    }))
    return { detail: "fields are missing or wrong", fields }
  }
  const envelope = Option.getOrUndefined(readEnvelope(text))
  if (envelope !== undefined) {
    const { code, message, retryable } = envelope
    const said = { code: quote(code), detail: quote(message), fields: [] }
    return retryable === undefined ? said : { ...said, retryable }
  }
  const search = Option.getOrUndefined(readSearch(text))
  if (search !== undefined) return { detail: quote(search.message), fields: [] }
  return { detail: `HTTP ${status} without a message`, fields: [] }
}

/** `Retry-After` in both forms, as milliseconds from now; null when absent or senseless. */
const readRetryAfter = (value: string | undefined, now: number): number | null => {
  if (value === undefined) return null
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}

/** The answer of something that is no Scraper API. */
const htmlAnswer = () =>
  new Unreadable({
    detail: "it answered HTML, not JSON; check that the base URL is that of a Scraper API",
    broken: false,
    foreign: true
  })

/** Lets a 2xx JSON answer through and turns every other one into its reason. `redactor` makes what hides the secrets that a server may quote. */
export const judgeAnswer = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse,
  redactor: () => Redact
): Effect.fn.Return<HttpClientResponse.HttpClientResponse, ScraperReason> {
  const { status } = response
  const type = response.headers["content-type"] ?? ""
  if (status >= 200 && status < 300) {
    if (!type.includes("text/html")) return response
    return yield* htmlAnswer()
  }
  const now = yield* Clock.currentTimeMillis
  const retryAfterMs = readRetryAfter(response.headers["retry-after"], now)
  const body = yield* response.text.pipe(Effect.orElseSucceed(() => ""))
  const { detail, retryable, ...refusal } = readErrorBody(body, status, redactor())
  if (status === 401 || status === 403) return yield* new Unauthorized({ detail })
  if (status === 402) return yield* new PaymentRequired({ detail })
  if (status === 404) {
    if (type.includes("text/html")) return yield* htmlAnswer()
    return yield* new NotFound({ detail })
  }
  if (status === 409) return yield* new Conflict({ detail })
  if (status === 429) return yield* new RateLimited({ retryAfterMs })
  if (status === 408 || (status >= 500 && status !== 501)) {
    return yield* new Unavailable({ status, detail, retryAfterMs, ...(retryable === undefined ? {} : { retryable }) })
  }
  if (status < 400) {
    return yield* new Unreadable({ detail: `it answered with a redirect (${status})`, broken: false, foreign: true })
  }
  return yield* new InvalidRequest({ status, detail, ...refusal })
})

/** The answer of something that broke off, or that says JSON and means something else. */
export const notJson = () => new Unreadable({ detail: "the body is not the JSON it says it is", broken: true })

/** What the derived client can fail with besides our own reasons, turned into one of them. */
export const readFailure = (error: unknown): ScraperReason => {
  if (HttpClientError.isHttpClientError(error)) {
    const { reason } = error
    if (reason._tag === "TransportError") {
      return new Unavailable({ status: null, detail: networkDetail(reason.cause), retryAfterMs: null })
    }
    if (reason._tag === "InvalidUrlError") {
      return new InvalidRequest({ status: 0, detail: "the base URL is not a valid URL", fields: [] })
    }
    return notJson()
  }
  if (Schema.isSchemaError(error)) {
    if (error.message === "Expected a valid JSON string") {
      return notJson()
    }
    return new Unreadable({ detail: `it does not fit the contract: ${issuePath(error)}`, broken: false })
  }
  return new Unreadable({ detail: "the answer could not be taken in", broken: false })
}

/** The code of a network failure, which names no secret: `ECONNREFUSED`, `ENOTFOUND`, ... */
const networkDetail = (cause: unknown): string => {
  for (let error = cause, depth = 0; depth < 5 && error instanceof Error; error = error.cause, depth++) {
    if ("code" in error && typeof error.code === "string") return error.code
  }
  return cause instanceof Error ? cause.name : "network failure"
}
