import { ErrorResponse, HTTPValidationError, SearchErrorResponse } from "@sluice/contract"
import { Clock, Effect, Option, Schema } from "effect"
import { HttpClientError, type HttpClientResponse } from "effect/http"
import { issuePath } from "../record/issuePath.ts"
import type { Redact } from "../secret/redactor.ts"
import { readRetryAfter } from "./retryAfter.ts"
import { InvalidRequest, type ScraperReason, Unavailable, Unreadable } from "./ScraperError.ts"
import { statusReason } from "./statusReason.ts"

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

/** The answer of something that is no Scraper API. */
const foreignAnswer = (status: number) => (what: "HTML" | "redirect") =>
  new Unreadable({
    detail:
      what === "HTML"
        ? "it answered HTML, not JSON; check that the base URL is that of a Scraper API"
        : `it answered with a redirect (${status})`,
    broken: false,
    foreign: true
  })

/** Lets a 2xx JSON answer through and turns every other one into its reason. `redactor` makes what hides the secrets that a server may quote. */
export const judgeAnswer = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse,
  redactor: () => Redact
): Effect.fn.Return<HttpClientResponse.HttpClientResponse, ScraperReason> {
  const { status } = response
  const isHtml = (response.headers["content-type"] ?? "").includes("text/html")
  const foreign = foreignAnswer(status)
  if (status >= 200 && status < 300) return isHtml ? yield* foreign("HTML") : response
  const now = yield* Clock.currentTimeMillis
  const retryAfterMs = readRetryAfter(response.headers["retry-after"], now)
  const body = yield* response.text.pipe(Effect.orElseSucceed(() => ""))
  const answer = readErrorBody(body, status, redactor())
  return yield* Effect.fail(statusReason({ ...answer, status, isHtml, retryAfterMs }, foreign))
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
