import { Clock, Context, Effect, Layer, Option, Result, type Scope } from "effect"
import { actualType, declaredKind, mediaType } from "../net/ContentType.ts"
import { decodeText } from "../net/decodeText.ts"
import { HttpGet, type ResponseHead, type TargetResponse } from "../net/HttpGet.ts"
import { normalizeUrl } from "../net/normalizeUrl.ts"
import { finalFailure, PageFailure, transientFailure } from "../net/PageFailure.ts"
import { pageEncoding } from "../net/pageEncoding.ts"
import { Renderer } from "../rendering/Renderer.ts"
import type { RenderWait } from "../rendering/RenderRequest.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import { declaredRefresh } from "./declaredRefresh.ts"
import { HostQueue } from "./HostQueue.ts"
import { Robots } from "./Robots.ts"
import { SiteCookies } from "./SiteCookies.ts"

/** A page as it came from the network. `url` is where the redirects ended, normalised. */
export interface LoadedPage {
  readonly _tag: "Loaded"
  readonly url: string
  readonly httpStatus: number
  readonly contentType: string
  readonly body: Uint8Array
  /** What links are resolved against and in which encoding their queries are, if a browser rendered the page and ran its scripts. */
  readonly rendered?: { readonly base: string; readonly encoding: string }
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
  /** Whether the page goes through a browser, and what for; null for pages that are taken as they come. */
  readonly render: RenderWait | null
  /** The cookies that loads share; without any, those of this load are its own. */
  readonly cookies?: SiteCookies
  /** Whether only what can be converted is wanted, which is the default, or content of any type. */
  readonly content?: "page" | "any"
  /** Asked for each URL, redirect targets included, before its host is contacted and again when its turn has come. */
  readonly admit: (url: string, redirects: number) => "go" | "unwanted" | PageFailure
  /** Told once, when the first request starts. */
  readonly started: () => void
}

/**
 * Loads one page: obeys `robots.txt`, waits for the host's turn, follows redirects hop by hop and repeats transient
 * failures. A page that refreshes itself soon leads on as a redirect does. A browser is handed the document that was had in this way, and where its scripts lead to counts as a redirect.
 * Never fails; the outcome tells. Its memory is accounted for until the scope closes.
 */
export class Fetcher extends Context.Service<
  Fetcher,
  { readonly load: (url: string, options: LoadOptions) => Effect.Effect<LoadOutcome, never, Scope.Scope> }
>()("@sluice/scraper/fetching/Fetcher") {
  static readonly layer: Layer.Layer<Fetcher, never, ServerSettings | HttpGet | HostQueue | Renderer | Robots> =
    Layer.effect(
      this,
      Effect.gen(function* () {
        const settings = yield* ServerSettings
        const http = yield* HttpGet
        const hosts = yield* HostQueue
        const robots = yield* Robots
        const renderer = yield* Renderer

        const load = Effect.fn("Fetcher.load")(function* (start: string, options: LoadOptions) {
          let url = start
          let redirects = 0
          /** The requests that led elsewhere, by URL and cookies: none of them leads elsewhere the next time, but by a script. */
          const left = new Set<string>()
          let sentAs = ""
          let retryCount = 0
          let startedAt: number | undefined
          /** The page from which a script led here, and where pages may not lead, because it is a download. */
          let ledFrom: string | undefined
          const ignored = new Set<string>()
          const cookies = options.cookies ?? new SiteCookies()
          const cookieHeader = () => cookies.header(url, headersFor(url, start, options.headers).cookie)
          /** What tells a request from others of the load. */
          const identityOf = () => `${url} ${cookieHeader() ?? ""}`

          const request = Effect.fnUntraced(function* (sent: () => void) {
            const verdict = options.admit(url, redirects)
            if (verdict !== "go") return verdict
            if (startedAt === undefined) {
              startedAt = yield* Clock.currentTimeMillis
              options.started()
            }
            const cookie = cookieHeader()
            sentAs = identityOf()
            return yield* http.get(url, {
              headers: {
                accept,
                "user-agent": settings.userAgent,
                ...(settings.acceptLanguage === undefined ? {} : { "accept-language": settings.acceptLanguage }),
                ...headersFor(url, start, options.headers),
                ...(cookie === undefined ? {} : { cookie })
              },
              maxBytes: settings.maxPageBytes,
              beyondMax: "fail",
              judge: (head) => {
                cookies.take(url, head.headers)
                return options.content === "any" ? judgeStatus(head) : judge(head)
              },
              sent
            })
          })

          const attempt = Effect.gen(function* () {
            const verdict = options.admit(url, redirects)
            if (verdict !== "go") return verdict
            const crawlDelayMs = yield* robots.admit(url)
            return yield* hosts.run(new URL(url).host, Math.max(crawlDelayMs, settings.hostDelayMs), request)
          })

          /** The page of a response, rendered by a browser if the caller wants that. */
          const shown = Effect.fnUntraced(function* (
            answer: TargetResponse | "unwanted" | PageFailure
          ): Effect.fn.Return<LoadedPage | Redirect | "unwanted" | PageFailure, PageFailure> {
            if (answer === "unwanted" || answer instanceof PageFailure) return answer
            const httpStatus = answer.status
            if (isRedirect(answer)) return { _tag: "Redirect", location: answer.header("location"), httpStatus }
            if (ledFrom !== undefined && staysWhereItIs(answer)) {
              return yield* finalFailure(
                "UNSUPPORTED_CONTENT_TYPE",
                "The answer is a download, and no page",
                httpStatus
              )
            }
            const declared = typeOf(answer)
            const contentType = options.content === "any" ? declared : actualType(answer.body, declared)
            if (contentType === undefined) {
              const message = `The content is neither a page nor text, whatever its type, ${mediaType(declared)}, says`
              return yield* finalFailure("UNSUPPORTED_CONTENT_TYPE", message, httpStatus)
            }
            const page: LoadedPage = { _tag: "Loaded", url, httpStatus, contentType, body: answer.body }
            if (options.content === "any" || declaredKind(contentType) !== "html") return page
            if (options.render === null) {
              const refresh = yield* declaredRefresh({
                url,
                header: answer.header("refresh"),
                body: answer.body,
                text: () => decodeText(answer.body, contentType)
              })
              if (Option.isNone(refresh)) return page
              // A page that only reloads itself is meant to be read.
              const isReload = refresh.value === url && sentAs === identityOf()
              return isReload ? page : { _tag: "Redirect", location: refresh.value, httpStatus }
            }
            const encoding = pageEncoding(answer.body, contentType)
            const rendered = yield* renderer.render({
              // With its encoding, so that the same rules tell what a page says, rendered or not.
              document: {
                url,
                httpStatus,
                headers: answer.headers,
                contentType: `${mediaType(contentType)}; charset=${encoding}`,
                body: answer.body
              },
              wait: options.render,
              ignored,
              // One that refreshes itself with nothing new is meant to be read.
              rereads: !left.has(sentAs),
              userAgent: options.headers["user-agent"] ?? settings.userAgent,
              acceptLanguage: options.headers["accept-language"] ?? settings.acceptLanguage,
              cookies: cookies.forBrowser(url)
            })
            cookies.takeFromBrowser(rendered.cookies)
            if (rendered._tag === "Navigated") {
              ledFrom = url
              return { _tag: "Redirect", location: rendered.to, httpStatus }
            }
            const { base, html, isXml } = rendered
            return {
              ...page,
              contentType: `${isXml ? "application/xhtml+xml" : "text/html"}; charset=utf-8`,
              body: Buffer.from(html),
              rendered: { base, encoding }
            }
          })

          const end = (page: LoadedPage | FailedPage | UnwantedPage) =>
            Effect.map(Clock.currentTimeMillis, (now): LoadOutcome => {
              return { ...page, retryCount, durationMs: Math.max(0, Math.round(now - (startedAt ?? now))) }
            })
          const failed = (failure: PageFailure) => end({ _tag: "Failed", failure })

          while (true) {
            const result = yield* Effect.result(Effect.flatMap(attempt, shown))
            if (Result.isFailure(result)) {
              const failure = result.failure
              if (
                failure.code === "UNSUPPORTED_CONTENT_TYPE" &&
                ledFrom !== undefined &&
                redirects < settings.maxRedirects
              ) {
                ignored.add(url)
                url = ledFrom
                ledFrom = undefined
                redirects++
                continue
              }
              if (!failure.retryable || retryCount >= settings.retries) return yield* failed(failure)
              const backoff = Math.min(settings.retryDelayMs * 2 ** retryCount, maxBackoffMs)
              yield* Effect.sleep(Math.max(backoff, Math.min(failure.retryAfterMs ?? 0, maxBackoffMs)))
              retryCount++
              continue
            }
            const answer = result.success
            if (answer === "unwanted") return yield* end({ _tag: "Unwanted" })
            if (answer instanceof PageFailure) return yield* failed(answer)
            if (answer._tag === "Loaded") return yield* end(answer)
            const next = Option.flatMap(Option.fromUndefinedOr(answer.location), (to) => normalizeUrl(to, url))
            if (Option.isNone(next)) {
              return yield* failed(
                finalFailure("INVALID_REDIRECT", "The redirect has no usable http(s) target", answer.httpStatus)
              )
            }
            left.add(sentAs)
            url = next.value
            const isCircle = options.render === null && left.has(identityOf())
            if (isCircle || ++redirects > settings.maxRedirects) {
              const message = isCircle
                ? "The redirects lead in a circle"
                : `More than ${settings.maxRedirects} redirects`
              return yield* failed(finalFailure("TOO_MANY_REDIRECTS", message, answer.httpStatus))
            }
          }
        })
        return Fetcher.of({ load })
      })
    )
}

/** A page that is to be had elsewhere. */
interface Redirect {
  readonly _tag: "Redirect"
  readonly location: string | undefined
  readonly httpStatus: number
}

/** The caller's headers. Its credentials are for the origin it named, not for wherever that redirects to. */
const headersFor = (url: string, start: string, headers: Readonly<Record<string, string>>) => {
  if (new URL(url).origin === new URL(start).origin) return headers
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !credentials.has(name)))
}

const credentials = new Set(["authorization", "cookie"])

const accept = "text/html, application/xhtml+xml, text/plain;q=0.9, text/markdown;q=0.9, */*;q=0.1"
const maxBackoffMs = 10_000
const redirectStatuses = new Set([301, 302, 303, 307, 308])
/** 520 to 527 are those of a proxy that had no answer of the server behind it. */
const transientStatuses = new Set([408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527])

/** Whether a browser that is led there stays where it is. */
const staysWhereItIs = (head: ResponseHead) =>
  head.status === 204 || head.status === 205 || /^\s*attachment/i.test(head.header("content-disposition") ?? "")

const isRedirect = (head: ResponseHead) => redirectStatuses.has(head.status)

/** All lines of the header: which of them counts is for who reads it. */
const typeOf = ({ header, headers }: ResponseHead): string => {
  const lines = headers.flatMap(([name, value]) => (name === "content-type" ? [value] : []))
  return lines.length > 0 ? lines.join(", ") : (header("content-type") ?? "")
}

const judge = (head: ResponseHead): "read" | "leave" | PageFailure => {
  const verdict = judgeStatus(head)
  const type = typeOf(head)
  return verdict !== "read" || declaredKind(type) !== undefined
    ? verdict
    : finalFailure("UNSUPPORTED_CONTENT_TYPE", `Content of type ${mediaType(type)} is not converted`, head.status)
}

const judgeStatus = (head: ResponseHead): "read" | "leave" | PageFailure => {
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

/** `Retry-After` is a number of seconds, or a date by the clock of the target. */
const withRetryAfter = (failure: PageFailure, head: ResponseHead): PageFailure => {
  const value = head.header("retry-after") ?? ""
  const seconds = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : undefined
  const retryAfterMs = seconds ?? Date.parse(value) - Date.parse(head.header("date") ?? "")
  const { code, httpStatus, message, retryable } = failure
  return Number.isFinite(retryAfterMs) && retryAfterMs > 0
    ? new PageFailure({ code, message, retryable, httpStatus, retryAfterMs })
    : failure
}
