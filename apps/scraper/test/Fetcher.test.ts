import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Fetcher } from "../src/fetching/Fetcher.ts"
import { HostQueue } from "../src/fetching/HostQueue.ts"
import { Robots } from "../src/fetching/Robots.ts"
import { HttpGet } from "../src/net/HttpGet.ts"
import { TargetAgent } from "../src/net/TargetAgent.ts"
import { BrowserProcess } from "../src/rendering/BrowserProcess.ts"
import { Renderer } from "../src/rendering/Renderer.ts"
import { ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { page, testSite } from "./TestSite.ts"

const Settings = Layer.succeed(
  ServerSettings,
  withDefaults({ apiKeys: [Redacted.make("k")], hostDelayMs: 0, retries: 0 })
)

/** The real thing, but that `http://public.example/?<target>` redirects to its query. */
const PublicRedirector = Layer.effect(
  HttpGet,
  Effect.map(HttpGet, (http) =>
    HttpGet.of({
      get: (url, options) => {
        const target = new URL(url)
        if (target.host !== "public.example") return http.get(url, options)
        const isPage = target.pathname === "/"
        return Effect.succeed({
          status: isPage ? 302 : 404,
          headers: [],
          header: (name) => (isPage && name === "location" ? decodeURIComponent(target.search.slice(1)) : undefined),
          body: new Uint8Array(0)
        })
      }
    })
  )
).pipe(Layer.provide(HttpGet.layer))

const Guarded = Fetcher.layer.pipe(
  Layer.provide(Robots.layer),
  Layer.provide(Renderer.layer),
  Layer.provide(BrowserProcess.layer),
  Layer.provide(HostQueue.layer),
  Layer.provide(PublicRedirector),
  Layer.provide(TargetAgent.layer),
  Layer.provide(Settings)
)

describe("Fetcher", () => {
  it.live("does not follow a public redirect to where it must not go", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("secret") })
      const { port } = new URL(site.origin)
      const fetcher = yield* Fetcher
      for (const host of ["127.0.0.1", "localhost", "[::1]", "0x7f000001", "10.0.0.1", "169.254.169.254"]) {
        const outcome = yield* fetcher.load(`http://public.example/?http://${host}:${port}/`, {
          headers: {},
          render: null,
          admit: () => "go",
          started: () => undefined
        })
        assert.strictEqual(outcome._tag === "Failed" ? outcome.failure.code : outcome._tag, "BLOCKED_TARGET", host)
      }
      assert.strictEqual(site.hits("/") + site.hits("/robots.txt"), 0)
    }).pipe(Effect.provide(Guarded))
  )
})
