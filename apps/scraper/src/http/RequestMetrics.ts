import { Clock, Effect } from "effect"
import { HttpRouter, HttpServerRequest } from "effect/http"
import { requestAnswered } from "../metrics/Metrics.ts"

const parts = new Set(["extract", "batch", "crawl", "map", "search", "statistics", "usage", "webhooks"])

/** A name for what a path is about, out of a few: paths hold ids. */
const partOf = (url: string): string => {
  const [, first = "", second = ""] = url.split(/[/?]/)
  if (first === "v1") return parts.has(second) ? second : "other"
  return ["health", "docs", "openapi.json"].includes(first) ? first : "other"
}

/** Counts the requests and how long they took. */
export const RequestMetrics = HttpRouter.middleware(
  (httpEffect) =>
    Effect.gen(function* () {
      const { url } = yield* HttpServerRequest.HttpServerRequest
      const before = yield* Clock.currentTimeMillis
      const response = yield* httpEffect
      yield* requestAnswered(partOf(url), response.status, (yield* Clock.currentTimeMillis) - before)
      return response
    }),
  { global: true }
)
