import { Clock, Effect, Stream } from "effect"
import { HttpClientError, type HttpClientResponse } from "effect/http"
import { parse } from "../api/body.ts"
import { type ScraperReason, Unavailable, Unreadable } from "../api/ScraperError.ts"
import type { ApiAnswer } from "./ApiAnswer.ts"

/** Larger answers are not read to their end, in bytes. */
const largestAnswer = 16 * 1024 * 1024

/** Reads an answer to its end, up to a size. */
export const readAnswer = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse
): Effect.fn.Return<ApiAnswer, HttpClientError.HttpClientError | Unreadable> {
  const pieces: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEachArray(response.stream, (more) =>
    Effect.suspend(() => {
      for (const piece of more) {
        size += piece.length
        pieces.push(piece)
      }
      return size > largestAnswer
        ? Effect.fail(new Unreadable({ detail: `it is larger than ${largestAnswer} bytes`, broken: false }))
        : Effect.void
    })
  )
  const text = Buffer.concat(pieces)
    .toString()
    .replace(/^\uFEFF/, "")
  const answer = { status: response.status, headers: response.headers, at: yield* Clock.currentTimeMillis }
  if (text.trim() === "") return { ...answer, kind: "empty", body: undefined }
  const body = yield* Effect.option(parse({ pieces }))
  if (body._tag === "Some") return { ...answer, kind: "json", body: body.value }
  const isHtml = (response.headers["content-type"] ?? "").includes("html") || /^\uFEFF?\s*</.test(text)
  // JSON that cannot be read is an answer that broke off.
  if (!isHtml && (response.headers["content-type"] ?? "").includes("json")) {
    return yield* new Unreadable({ detail: "the body is not the JSON it says it is", broken: true })
  }
  return { ...answer, kind: isHtml ? "html" : "text", body: undefined }
})

/** The code of a network failure, which names no secret. */
export const networkReason = (error: unknown): ScraperReason => {
  if (HttpClientError.isHttpClientError(error) && error.reason._tag === "TransportError") {
    let cause: unknown = error.reason.cause
    for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
      if ("code" in cause && typeof cause.code === "string") {
        return new Unavailable({ status: null, detail: cause.code, retryAfterMs: null })
      }
      cause = cause.cause
    }
    return new Unavailable({ status: null, detail: "network failure", retryAfterMs: null })
  }
  return new Unreadable({ detail: "the answer broke off", broken: true })
}
