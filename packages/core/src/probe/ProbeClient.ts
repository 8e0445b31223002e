import { Clock, Duration, Effect, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { decodedAnswer } from "../api/decodedAnswer.ts"
import { type RetryPolicy, retryBy } from "../api/RetryPolicy.ts"
import { retryAfterForm } from "../api/retryAfter.ts"
import { ScraperError, type ScraperReason, Unavailable, Unreadable } from "../api/ScraperError.ts"
import type { ApiAnswer, ApiRequest } from "./ApiAnswer.ts"
import { passingReason, refusalReason } from "./answerReason.ts"
import type { Cassette } from "./Cassette.ts"
import { networkReason, readAnswer } from "./readAnswer.ts"

/** How a probe talks to an API. Every number is a bound. */
export interface ProbeClientOptions {
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted
  readonly auth: "x-api-key" | "bearer"
  /** For one attempt, its body included. */
  readonly attemptTimeout: Duration.Input
  /** How long a read is made again that fails in a way that may pass, */
  readonly retryWithin: Duration.Input
  /** and how often at most. */
  readonly retries: number
  /** The first pause between attempts; it doubles, up to five seconds. */
  readonly retryBase: Duration.Input
}

const longestPause = 5_000
const rateHeader = /^(?:x-)?ratelimit(?:-|$)/
const wrongKey = "sluice-probe-wrong-key"

/** What answers tell beside their bodies. */
export interface RateSigns {
  readonly headers: ReadonlySet<string>
  /** Answers with 429 or 503 by the form of their `Retry-After`. */
  readonly retryAfter: ReadonlySet<"seconds" | "date" | "absent">
}

/**
 * The API as it answers: status, headers and body, undecoded, each exchange recorded. Reads are made again within bounds; a submission is
 * sent once, by `send`.
 */
export class ProbeClient {
  readonly origin: string
  readonly #options: ProbeClientOptions
  readonly #http: HttpClient.HttpClient
  readonly #cassette: Cassette
  readonly #startedAt: number
  readonly #headers = new Set<string>()
  readonly #retryAfter = new Set<"seconds" | "date" | "absent">()

  constructor(options: ProbeClientOptions, http: HttpClient.HttpClient, cassette: Cassette, startedAt: number) {
    this.#options = options
    this.#cassette = cassette
    this.#startedAt = startedAt
    this.origin = new URL(options.baseUrl).origin
    this.#http = http.pipe(
      // fetch would follow a redirect to another host and take the key there
      HttpClient.transformResponse(Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }))
    )
  }

  get signs(): RateSigns {
    return { headers: this.#headers, retryAfter: this.#retryAfter }
  }

  /** Sends a request once. Fails only if no whole answer came. */
  send(step: string, request: ApiRequest): Effect.Effect<ApiAnswer, ScraperError> {
    const self = this
    return Effect.gen(function* () {
      const sentAt = yield* Clock.currentTimeMillis
      const note = Effect.fnUntraced(function* (answer: ApiAnswer | undefined, failure: string | null) {
        const now = yield* Clock.currentTimeMillis
        self.#cassette.record(step, request, sentAt - self.#startedAt, now - sentAt, answer, failure)
      })
      const answer = yield* self.#http.execute(self.#prepared(request)).pipe(
        Effect.flatMap(decodedAnswer),
        Effect.flatMap(readAnswer),
        Effect.mapError((error) => self.failure(step, error instanceof Unreadable ? error : networkReason(error))),
        Effect.timeoutOrElse({
          duration: self.#options.attemptTimeout,
          orElse: () =>
            Effect.fail(self.failure(step, new Unavailable({ status: null, detail: "timed out", retryAfterMs: null })))
        }),
        Effect.tapError((error) =>
          note(undefined, error.reason._tag === "Unavailable" ? error.reason.detail : error.reason._tag)
        )
      )
      yield* note(answer, null)
      self.#observe(answer)
      return answer
    })
  }

  /** A read, made again while it fails in a way that may pass. Succeeds with any other answer, refusals included. */
  ask(step: string, request: ApiRequest): Effect.Effect<ApiAnswer, ScraperError> {
    const { retries, retryBase, retryWithin } = this.#options
    const policy: RetryPolicy = {
      first: Duration.toMillis(retryBase),
      longest: longestPause,
      within: Duration.toMillis(retryWithin),
      times: retries
    }
    const sent = Effect.flatMap(this.send(step, request), (answer) => {
      const passing = passingReason(answer)
      return passing === undefined ? Effect.succeed(answer) : Effect.fail(this.failure(step, passing))
    })
    return retryBy(sent, {
      policyOf: (error) => (error.isRetryable || error.tookNoEffect ? policy : undefined),
      retryAfterOf: (error) => error.retryAfterMs
    })
  }

  /** A read that has to succeed. */
  read(step: string, request: ApiRequest): Effect.Effect<ApiAnswer, ScraperError> {
    return Effect.flatMap(this.ask(step, request), (answer) => {
      const reason = refusalReason(answer)
      return reason === undefined ? Effect.succeed(answer) : Effect.fail(this.failure(step, reason))
    })
  }

  /** An error of this API. */
  failure(step: string, reason: ScraperReason): ScraperError {
    return new ScraperError({ operation: step, origin: this.origin, reason })
  }

  #prepared({ auth, body, method, path, query = {} }: ApiRequest): HttpClientRequest.HttpClientRequest {
    const { apiKey, baseUrl } = this.#options
    const key = auth === "wrong" ? Redacted.make(wrongKey) : apiKey
    const isBearer = (auth === "x-api-key" || auth === "bearer" ? auth : this.#options.auth) === "bearer"
    return HttpClientRequest.make(method)(`${baseUrl.replace(/\/+$/, "")}${path}`, {
      urlParams: query,
      acceptJson: true
    }).pipe(
      isBearer ? HttpClientRequest.bearerToken(key) : HttpClientRequest.setHeader("X-Api-Key", Redacted.value(key)),
      body === undefined ? (request) => request : HttpClientRequest.bodyJsonUnsafe(body)
    )
  }

  #observe({ headers, status }: ApiAnswer): void {
    for (const name of Object.keys(headers)) if (rateHeader.test(name)) this.#headers.add(name)
    if (status === 429 || status === 503) this.#retryAfter.add(retryAfterForm(headers["retry-after"]))
  }
}
