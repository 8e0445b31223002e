import type { Schema } from "effect"
import { Headers, HttpServerResponse } from "effect/http"

/** A result of a crawl or a batch as it is sent. */
export type SentItem = { readonly [member: string]: Schema.Json }

const ofResults = /^\/v1\/(?:crawl|batch)\/(?!jobs$)[^/]+$/

/** The answer with each of its results changed; one without results is left as it is. */
export const reshaped = (
  answer: HttpServerResponse.HttpServerResponse,
  path: string,
  reshape: (item: SentItem) => Schema.Json
): HttpServerResponse.HttpServerResponse => {
  if (!ofResults.test(path) || answer.status !== 200 || answer.body._tag !== "Uint8Array") return answer
  const { results, ...envelope }: { readonly results: ReadonlyArray<SentItem> } = JSON.parse(
    Buffer.from(answer.body.body).toString()
  )
  return HttpServerResponse.jsonUnsafe(
    { ...envelope, results: results.map(reshape) },
    { status: answer.status, headers: Headers.remove(answer.headers, "content-length") }
  )
}
