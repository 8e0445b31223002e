import { Effect, Stream } from "effect"
import type { HttpClientError, HttpClientResponse } from "effect/http"
import type { Unreadable } from "./ScraperError.ts"
import { notJson } from "./scraperAnswer.ts"

/** Bodies up to this many bytes are put together in the same place, one after the other. */
const scratchSize = 1024 * 1024
let scratch: Buffer | undefined

const byteOrderMark = "\uFEFF"

/** The raw body of an answer, to be parsed once. Parsing releases its chunks, even if the value is still referenced. */
export interface Body {
  readonly pieces: Array<Uint8Array>
}

/** Reads an answer to its end. */
export const bodyOf = (
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<Body, HttpClientError.HttpClientError> =>
  Effect.suspend(() => {
    const pieces: Array<Uint8Array> = []
    return Stream.runForEachArray(response.stream, (more) => {
      pieces.push(...more)
      return Effect.void
    }).pipe(Effect.as({ pieces }))
  })

/**
 * What a body says. Its pieces become text in one step and in memory that is used again: a buffer and a text outside the heap
 * for each answer would have V8 collect all of the heap for them.
 */
export const parse = (body: Body): Effect.Effect<unknown, Unreadable> =>
  Effect.try({
    try: (): unknown => JSON.parse(textOf(body.pieces.splice(0))),
    catch: notJson
  })

const textOf = (pieces: ReadonlyArray<Uint8Array>): string => {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
  if (bytes > scratchSize) return withoutMark(Buffer.concat(pieces).toString())
  scratch ??= Buffer.allocUnsafeSlow(scratchSize)
  let at = 0
  for (const piece of pieces) {
    scratch.set(piece, at)
    at += piece.length
  }
  return withoutMark(scratch.toString("utf8", 0, at))
}

const withoutMark = (text: string): string => (text.startsWith(byteOrderMark) ? text.slice(1) : text)
