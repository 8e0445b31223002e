import { Clock, Context, Effect, Layer, Option, Result } from "effect"
import { HostQueue } from "./HostQueue.ts"
import { type AnswerHead, HttpGet } from "./HttpGet.ts"
import { finalFailure, PageFailure, transientFailure } from "./PageFailure.ts"
import { Robots } from "./Robots.ts"
import { ServerSettings } from "./ScraperConfig.ts"
import { normaliseUrl } from "./UrlNormal.ts"

/** A page as it came from the network. `url` is where the redirects ended, normalised. */
export interface LoadedPage {
  readonly _tag: "Loaded"
  readonly url: string
  readonly httpStatus: number
  readonly contentType: string
  readonly body: Uint8Array
}

/** A page that was not had, for good. */
export interface FailedPage {
  readonly _tag: "Failed"
  readonly failure: PageFailure
}

/** A page that was given up because the caller no longer wants it: see {@link LoadOptions.admit}. */
export interface UnwantedPage {
  readonly _tag: "Unwanted"
}

/** How loading a page ended. `durationMs` runs from the first request, so waiting for the host's turn does not count. */
export type LoadOutcome = (LoadedPage | FailedPage | UnwantedPage) & {
  readonly retryCount: number
  readonly durationMs: number
}

/** What the caller decides about a load. */
export interface LoadOptions {
  readonly headers: Readonly<Record<string, string>>
  /** Whether only what can be converted is wanted, which is the default, or content of any type. */
  readonly content?: "page" | "any"
  /** Asked for each URL, redirect targets included, before its host is contacted and again when its turn has come. */
  readonly admit: (url: string, redirects: number) => "go" | "unwanted" | PageFailure
  /** Told once, when the first request starts. */
  readonly started: () => void
}

/**
 * Loads one page: obeys `robots.txt`, waits for the host's turn, follows redirects hop by hop and repeats transient
 * failures. Never fails; the outcome tells.
 */
export class Fetcher extends Context.Service<
  Fetcher,
  { readonly load: (url: string, options: LoadOptions) => Effect.Effect<LoadOutcome> }
>()("@sluice/scraper/Fetcher") {
  static readonly layer: Layer.Layer<Fetcher, never, ServerSettings | HttpGet | HostQueue | Robots> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const http = yield* HttpGet
      const hosts = yield* HostQueue
      const robots = yield* Robots

      const load = Effect.fn("Fetcher.load")(function* (start: string, options: LoadOptions) {
        let url = start
        let redirects = 0
        let retryCount = 0
        let startedAt: number | undefined

        const request = Effect.gen(function* () {
          const verdict = options.admit(url, redirects)
          if (verdict !== "go") return verdict
          if (startedAt === undefined) {
            startedAt = yield* Clock.currentTimeMillis
            options.started()
          }
          return yield* http.get(url, {
            headers: { accept, "user-agent": settings.userAgent, ...headersFor(url, start, options.headers) },
            maxBytes: settings.maxPageBytes,
            beyondMax: "fail",
            judge: options.content === "any" ? judgeStatus : judge
          })
        })

        const attempt = Effect.gen(function* () {
          const verdict = options.admit(url, redirects)
          if (verdict !== "go") return verdict
          const crawlDelayMs = yield* robots.admit(url)
          return yield* hosts.run(new URL(url).host, Math.max(crawlDelayMs, settings.hostDelayMs), request)
        })

        const end = (page: LoadedPage | FailedPage | UnwantedPage) =>
          Effect.map(Clock.currentTimeMillis, (now): LoadOutcome => {
            return { ...page, retryCount, durationMs: Math.max(0, Math.round(now - (startedAt ?? now))) }
          })
        const failed = (failure: PageFailure) => end({ _tag: "Failed", failure })

        while (true) {
          const result = yield* Effect.result(attempt)
          if (Result.isFailure(result)) {
            const failure = result.failure
            if (!failure.retryable || retryCount >= settings.retries) return yield* failed(failure)
            const backoff = Math.min(settings.retryDelayMs * 2 ** retryCount, maxBackoffMs)
            yield* Effect.sleep(Math.max(backoff, Math.min(failure.retryAfterMs ?? 0, maxBackoffMs)))
            retryCount++
            continue
          }
          const answer = result.success
          if (answer === "unwanted") return yield* end({ _tag: "Unwanted" })
          if (answer instanceof PageFailure) return yield* failed(answer)
          if (isRedirect(answer)) {
            const next = Option.flatMap(Option.fromUndefinedOr(answer.header("location")), (to) =>
              normaliseUrl(to, url)
            )
            if (Option.isNone(next)) {
              return yield* failed(
                finalFailure("INVALID_REDIRECT", "The redirect has no usable http(s) target", answer.status)
              )
            }
            if (++redirects > settings.maxRedirects) {
              return yield* failed(
                finalFailure("TOO_MANY_REDIRECTS", `More than ${settings.maxRedirects} redirects`, answer.status)
              )
            }
            url = next.value
            continue
          }
          return yield* end({
            _tag: "Loaded",
            url,
            httpStatus: answer.status,
            contentType: answer.header("content-type") ?? "",
            body: answer.body
          })
        }
      })
      return Fetcher.of({ load })
    })
  )
}

/** The caller's headers. Its credentials are for the origin it named, not for wherever that redirects to. */
const headersFor = (url: string, start: string, headers: Readonly<Record<string, string>>) => {
  if (new URL(url).origin === new URL(start).origin) return headers
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !credentials.has(name)))
}

const credentials = new Set(["authorization", "cookie"])

const accept = "text/html, application/xhtml+xml, text/plain;q=0.9, */*;q=0.1"
const maxBackoffMs = 10_000
const redirectStatuses = new Set([301, 302, 303, 307, 308])
const transientStatuses = new Set([408, 425, 500, 502, 503, 504])

const isRedirect = (head: AnswerHead) => redirectStatuses.has(head.status)

/** Content types that are converted; a page without a type is taken for HTML. */
const convertible = new Set(["", "text/html", "application/xhtml+xml", "text/plain"])

/** The media type of a `Content-Type` header, without its parameters. */
export const mediaType = (contentType: string): string => (contentType.split(";")[0] ?? "").trim().toLowerCase()

const judge = (head: AnswerHead): "read" | "leave" | PageFailure => {
  const verdict = judgeStatus(head)
  const type = mediaType(head.header("content-type") ?? "")
  return verdict !== "read" || convertible.has(type)
    ? verdict
    : finalFailure("UNSUPPORTED_CONTENT_TYPE", `Content of type ${type} is not converted`, head.status)
}

const judgeStatus = (head: AnswerHead): "read" | "leave" | PageFailure => {
  if (isRedirect(head)) return "leave"
  if (head.status === 429) {
    return withRetryAfter(transientFailure("RATE_LIMITED", "The target answered 429", 429), head)
  }
  if (transientStatuses.has(head.status)) {
    return withRetryAfter(transientFailure("HTTP_ERROR", `The target answered ${head.status}`, head.status), head)
  }
  if (head.status < 200 || head.status > 299) {
    return finalFailure("HTTP_ERROR", `The target answered ${head.status}`, head.status)
  }
  return "read"
}

const withRetryAfter = (failure: PageFailure, head: AnswerHead): PageFailure => {
  const seconds = Number(head.header("retry-after"))
  return Number.isFinite(seconds) && seconds > 0
    ? new PageFailure({
        code: failure.code,
        message: failure.message,
        retryable: failure.retryable,
        httpStatus: failure.httpStatus,
        retryAfterMs: seconds * 1000
      })
    : failure
}
