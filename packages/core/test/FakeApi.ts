import { JobId } from "@sluice/contract"
import { Effect, Layer, Redacted } from "effect"
import { HttpClient, HttpClientError, type HttpClientRequest, HttpClientResponse } from "effect/http"
import { Scraper, type ScraperOptions } from "../src/api/Scraper.ts"

/** A key that must show up nowhere. */
export const canary = "canary-7f3a9c51-key"

export const jobId = JobId.make("0b6f7f2e-6f0b-4a59-9f53-1f2f1c5a7d10")

/** A crawl of one page that has ended. */
export const crawlBody = {
  job_id: jobId,
  url: "https://site.test/",
  status: "completed",
  total_pages: 0,
  completed_pages: 0,
  failed_pages: 0,
  cancelled_pages: 0,
  created_at: "2026-01-01T00:00:00Z",
  completed_at: "2026-01-01T00:00:01.123456Z",
  token_summary: { tokens_charged_total: 0, tokens_reserved: 0 },
  results: []
}

export const acceptedBody = { job_id: jobId, status: "queued", status_url: `/v1/crawl/${jobId}` }

/** What the network gives: an answer, or a failure of its own. */
export type Answer = Response | Effect.Effect<Response, HttpClientError.HttpClientError>

/** One request as the fake saw it. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** The network as a function: what each request, counted from 1, is answered with. */
export const fakeApi = (answer: (request: HttpClientRequest.HttpClientRequest, nth: number) => Answer) => {
  const sent: Array<Sent> = []
  const inFlight = { now: 0, most: 0 }
  const client = HttpClient.make((request, url) =>
    Effect.suspend(() => {
      sent.push({ method: request.method, url: url.href, headers: { ...request.headers } })
      inFlight.most = Math.max(inFlight.most, ++inFlight.now)
      const given = answer(request, sent.length)
      return Effect.isEffect(given) ? given : Effect.succeed(given)
    }).pipe(
      Effect.map((response) => HttpClientResponse.fromWeb(request, response)),
      Effect.ensuring(Effect.sync(() => inFlight.now--))
    )
  )
  return { sent, inFlight, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

/** A connection that breaks, with a cause that knows the request. */
export const brokenConnection = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.fail(
    new HttpClientError.HttpClientError({
      reason: new HttpClientError.TransportError({
        request,
        cause: new TypeError("fetch failed", {
          cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })
        })
      })
    })
  )

/** A JSON answer. */
export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers })

/** A client over a fake network. */
export const scraperOver = (
  { layer }: { readonly layer: Layer.Layer<HttpClient.HttpClient> },
  options: Partial<ScraperOptions> = {}
) =>
  Scraper.layer({ baseUrl: "https://api.test", apiKey: Redacted.make(canary), ...options }).pipe(Layer.provide(layer))
