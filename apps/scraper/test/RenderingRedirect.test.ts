import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Fetcher } from "../src/fetching/Fetcher.ts"
import { HostQueue } from "../src/fetching/HostQueue.ts"
import { Robots } from "../src/fetching/Robots.ts"
import { HttpGet } from "../src/net/HttpGet.ts"
import { TargetAgent } from "../src/net/TargetAgent.ts"
import { BrowserProcess } from "../src/rendering/BrowserProcess.ts"
import { Renderer } from "../src/rendering/Renderer.ts"
import { ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { describeInBrowser } from "./TestBrowser.ts"
import { page, testSite } from "./TestSite.ts"

const Settings = Layer.succeed(
  ServerSettings,
  withDefaults({ apiKeys: [Redacted.make("k")], hostDelayMs: 0, retries: 0 })
)

/** The real thing, but that the page `http://public.example/?<script>` is its script. */
const PublicPage = Layer.effect(
  HttpGet,
  Effect.map(HttpGet, (http) =>
    HttpGet.of({
      get: (url, options) => {
        const target = new URL(url)
        if (target.host !== "public.example") return http.get(url, options)
        const script = decodeURIComponent(target.search.slice(1))
        return Effect.succeed({
          status: target.pathname === "/" ? 200 : 404,
          headers: [],
          header: () => undefined,
          body: Buffer.from(`<p>public</p><script>${script}</script>`)
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
  Layer.provide(PublicPage),
  Layer.provide(TargetAgent.layer),
  Layer.provide(Settings)
)

describeInBrowser("a rendered page that goes on", () => {
  it.live("does not get where it must not go", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("secret") })
      const fetcher = yield* Fetcher
      const load = (script: string) =>
        fetcher.load(`http://public.example/?${encodeURIComponent(script)}`, {
          headers: {},
          render: { until: "load", selector: null, timeoutMs: null },
          admit: () => "go",
          started: () => undefined
        })
      for (const to of [site.origin, site.origin.replace("127.0.0.1", "localhost")]) {
        for (const script of [
          `location.href = "${to}/"`,
          `document.write('<meta http-equiv=refresh content="0;${to}/">')`
        ]) {
          const outcome = yield* load(script)
          assert.strictEqual(outcome._tag === "Failed" ? outcome.failure.code : outcome._tag, "BLOCKED_TARGET", script)
        }
      }
      const file = yield* load(`location.href = "file:///etc/passwd"`)
      const body = file._tag === "Loaded" ? Buffer.from(file.body).toString() : file._tag
      assert.include(body, "<p>public</p>")
      assert.notInclude(body, "root:")
      assert.deepStrictEqual(site.asked(), [])
    }).pipe(Effect.provide(Guarded))
  )
})
