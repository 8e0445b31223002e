import { Cache, Context, Duration, Effect, Exit, Layer, Option, Result, Schedule } from "effect"
import { HttpGet } from "../net/HttpGet.ts"
import { normalizeUrl } from "../net/normalizeUrl.ts"
import { finalFailure, type PageFailure, transientFailure } from "../net/PageFailure.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import { HostQueue } from "./HostQueue.ts"
import { RobotsRules, type RobotsVerdict } from "./RobotsRules.ts"

/** What a `robots.txt` was read to say. RFC 9309 asks readers for at least 500 KiB. */
const maxRobotsBytes = 500 * 1024
const maxRobotsRedirects = 5

/**
 * The `robots.txt` rules of an origin, read once an hour (once a minute while they cannot be had). As RFC 9309 has it,
 * a 4xx allows everything and a 5xx nothing; an origin that cannot be reached fails its pages with that very reason.
 */
export class Robots extends Context.Service<
  Robots,
  {
    /** Succeeds with the origin's `Crawl-delay` in milliseconds if `url` may be fetched, else fails. */
    readonly admit: (url: string) => Effect.Effect<number, PageFailure>
    /** The sitemaps that the origin's `robots.txt` names; none if it cannot be had. Read even where it is not obeyed. */
    readonly sitemaps: (origin: string) => Effect.Effect<ReadonlyArray<string>>
  }
>()("@sluice/scraper/fetching/Robots") {
  static readonly layer: Layer.Layer<Robots, never, ServerSettings | HttpGet | HostQueue> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const http = yield* HttpGet
      const hosts = yield* HostQueue

      const read = Effect.fnUntraced(function* (start: string) {
        let url = start
        for (let redirects = 0; redirects <= maxRobotsRedirects; redirects++) {
          const get = (sent: () => void) =>
            Effect.scoped(
              http.get(url, {
                headers: { "user-agent": settings.userAgent },
                maxBytes: maxRobotsBytes,
                beyondMax: "truncate",
                judge: (head) => (head.status >= 200 && head.status < 300 ? "read" : "leave"),
                sent
              })
            )
          const answer = yield* hosts.run(new URL(url).host, settings.hostDelayMs, get).pipe(
            Effect.retry({
              times: settings.retries,
              schedule: Schedule.exponential(Duration.millis(settings.retryDelayMs)),
              while: (failure) => failure.retryable
            })
          )
          const { status } = answer
          const location = answer.header("location")
          if (status >= 300 && status < 400 && location !== undefined) {
            const next = normalizeUrl(location, url)
            if (Option.isNone(next)) return allowAll
            url = next.value
          } else if (status === 429 || status >= 500) {
            return yield* transientFailure(
              "ROBOTS_DISALLOWED",
              `robots.txt answered ${status}, so nothing may be fetched`
            )
          } else if (status >= 200 && status < 300) {
            return rulesOf(start, answer.body, settings)
          } else {
            return allowAll
          }
        }
        return allowAll
      })

      const cache = yield* Cache.makeWith((origin: string) => read(`${origin}/robots.txt`), {
        capacity: 1000,
        timeToLive: (exit) => (Exit.isSuccess(exit) ? "1 hour" : "1 minute")
      })

      const admit = Effect.fnUntraced(function* (url: string) {
        const rules = yield* Effect.result(Cache.get(cache, new URL(url).origin))
        if (Result.isFailure(rules)) {
          // The page is on the same blocked host: its own failure says more.
          if (rules.failure.code === "BLOCKED_TARGET") return 0
          return yield* rules.failure
        }
        const verdict = yield* rules.success.judge(url)
        if (verdict !== "allowed") return yield* finalFailure("ROBOTS_DISALLOWED", reasons[verdict])
        return rules.success.crawlDelayMs
      })

      const sitemaps = (origin: string) =>
        Cache.get(cache, origin).pipe(
          Effect.map((rules) => rules.sitemaps),
          Effect.orElseSucceed(() => [])
        )

      return Robots.of({ sitemaps, admit: settings.respectRobots ? admit : () => Effect.succeed(0) })
    })
  )
}

const reasons: Readonly<Record<Exclude<RobotsVerdict, "allowed">, string>> = {
  forbidden: "robots.txt does not allow this page",
  unknown: "robots.txt has too many rules with wildcards to tell whether it allows this page"
}

interface Rules {
  readonly judge: (url: string) => Effect.Effect<RobotsVerdict>
  readonly crawlDelayMs: number
  readonly sitemaps: ReadonlyArray<string>
}

const allowAll: Rules = { judge: () => Effect.succeed("allowed"), crawlDelayMs: 0, sitemaps: [] }

const rulesOf = (
  url: string,
  body: Uint8Array,
  settings: { readonly userAgent: string; readonly maxCrawlDelayMs: number }
): Rules => {
  const rules = new RobotsRules(wholeLines(body), settings.userAgent)
  const delayMs = rules.crawlDelay * 1000
  return {
    judge: Effect.fnUntraced(function* (page) {
      const judging = rules.judge(page)
      for (let step = judging.next(); ; step = judging.next()) {
        if (step.done) return step.value
        yield* Effect.yieldNow
      }
    }),
    crawlDelayMs: Number.isFinite(delayMs) ? Math.min(delayMs, settings.maxCrawlDelayMs) : 0,
    sitemaps: rules.sitemaps.flatMap((sitemap) => Option.toArray(normalizeUrl(sitemap, url)))
  }
}

/** A file that was cut off, without the line it was cut in: half a path says something else. */
const wholeLines = (body: Uint8Array): Uint8Array =>
  body.byteLength < maxRobotsBytes
    ? body
    : body.subarray(0, Math.max(body.lastIndexOf(0x0a), body.lastIndexOf(0x0d)) + 1)
