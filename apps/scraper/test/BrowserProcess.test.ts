import type { ServerResponse } from "node:http"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { BrowserProcess } from "../src/rendering/BrowserProcess.ts"
import { Renderer } from "../src/rendering/Renderer.ts"
import { type ScraperConfig, ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { browsers, descendantsOf, memoryOf } from "./ProcessTree.ts"
import { describeInBrowser, render } from "./TestBrowser.ts"
import { stateDirectory, stoppable, testScraper, until } from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

const rendering = (config: Partial<ScraperConfig>) =>
  Renderer.layer.pipe(
    Layer.provideMerge(BrowserProcess.layer),
    Layer.provide(
      Layer.succeed(
        ServerSettings,
        withDefaults({ apiKeys: [Redacted.make("k")], allowPrivateTargets: true, ...config })
      )
    )
  )

/** A page that asks its site for `/step` and is done with the answer. */
const stepping = `<script>fetch("/step").then((a) => a.text()).then((text) => { document.body.innerHTML = "<p id=done>" + text })</script>`
const untilDone = { wait_config: { wait_for: "#done" } }

const noBrowser = until(Effect.sync(browsers), (running) => running.length === 0)

/** The soak takes all of it. */
const isLong = process.env.SLUICE_LONG_TESTS !== undefined

describeInBrowser("the browser", () => {
  it.live("shows so many pages at once and no more", () =>
    Effect.gen(function* () {
      const waiting: Array<ServerResponse> = []
      const most = { pages: 0, browser: 0, server: 0 }
      const site = yield* testSite({ "/step": (_, response) => void waiting.push(response) })
      const paths = Array.from({ length: 10 }, (_, index) => `/page${index}`)
      for (const path of paths) site.set(path, stepping)
      const client = yield* testScraper({ browserPages: 3, hostConcurrency: 10 })
      const all = yield* Effect.forkChild(
        Effect.forEach(paths, (path) => render(client, site.url(path), untilDone), { concurrency: 10 })
      )
      // All documents have been fetched, and as many pages as may be are open: only then is one let on.
      yield* until(
        Effect.sync(() => paths.filter((path) => site.hits(path) === 1).length + waiting.length),
        (count) => count === 13
      )
      for (let left = paths.length; left > 0; left--) {
        yield* until(
          Effect.sync(() => waiting.length),
          (count) => count >= Math.min(3, left)
        )
        const pages = descendantsOf(process.pid).filter(({ command }) => command.includes("--type="))
        most.pages = Math.max(most.pages, waiting.length)
        most.browser = Math.max(
          most.browser,
          [...browsers(), ...pages.map(({ pid }) => pid)].reduce((sum, pid) => sum + memoryOf(pid), 0)
        )
        most.server = Math.max(most.server, process.memoryUsage().rss / 1024 / 1024)
        waiting.shift()?.writeHead(200, { "content-type": "text/plain" }).end("stepped")
      }
      const ends = yield* Fiber.join(all)
      assert.deepStrictEqual(
        ends.map(({ markdown }) => markdown),
        paths.map(() => "stepped\n")
      )
      assert.strictEqual(most.pages, 3)
      assert.strictEqual(browsers().length, 1)
      yield* Effect.log(
        `ten pages through three: browser ${most.browser.toFixed(0)} MiB (its processes, shared memory once), ` +
          `server and tests ${most.server.toFixed(0)} MiB RSS`
      )
      assert.isAbove(most.browser, 50)
      assert.isBelow(most.browser, 1024)
    })
  )

  it.live("is started by the first page, ends when it has nothing to do, and with the server", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("one") })
      assert.deepStrictEqual(browsers(), [])
      const idle = yield* testScraper({ browserIdleMs: 1 })
      assert.deepStrictEqual(browsers(), [])
      for (let turn = 0; turn < 2; turn++) {
        assert.strictEqual((yield* render(idle, site.url("/"))).markdown, "# one\n")
        yield* noBrowser
      }
      const server = yield* stoppable(yield* stateDirectory)
      assert.strictEqual((yield* render(server.client, site.url("/"))).markdown, "# one\n")
      assert.strictEqual(browsers().length, 1)
      yield* server.stop
      yield* noBrowser
    })
  )

  if (isLong)
    it.live("is replaced when it has served its number of pages, and when it is killed", () =>
      Effect.gen(function* () {
        const slow = gate("stepped")
        const site = yield* testSite({ "/": page("one"), "/slow": stepping, "/step": slow.route })
        const client = yield* testScraper({ maxBrowserUses: 2 })
        const seen: Array<number | undefined> = []
        for (let turn = 0; turn < 3; turn++) {
          yield* render(client, site.url("/"))
          assert.strictEqual(browsers().length, 1)
          seen.push(browsers()[0])
        }
        assert.strictEqual(seen[0], seen[1])
        assert.notStrictEqual(seen[1], seen[2])
        // Killed under a page: that is tried again, in the next browser.
        const page1 = yield* Effect.forkChild(render(client, site.url("/slow"), untilDone))
        yield* until(
          Effect.sync(() => site.hits("/step")),
          (hits) => hits === 1
        )
        process.kill(seen[2] ?? 0, "SIGKILL")
        yield* until(
          Effect.sync(() => site.hits("/step")),
          (hits) => hits === 2
        )
        slow.open()
        const end = yield* Fiber.join(page1)
        assert.strictEqual(end.markdown, "stepped\n")
        assert.strictEqual(end.metadata?.retry_count, 1)
      })
    )

  if (isLong)
    it.live("keeps nothing of a page that is given up", () =>
      Effect.gen(function* () {
        const site = yield* testSite({ "/step": gate("").route })
        const renderer = yield* Renderer
        const { lease } = yield* BrowserProcess
        const { browser } = yield* lease
        const fiber = yield* Effect.forkChild(
          renderer.render({
            document: {
              url: site.url("/"),
              httpStatus: 200,
              headers: [],
              contentType: "text/html",
              body: Buffer.from(stepping)
            },
            wait: { until: "load", selector: "#done", timeoutMs: null },
            userAgent: "test",
            ignored: new Set(),
            rereads: true,
            cookies: []
          })
        )
        yield* until(
          Effect.sync(() => site.hits("/step")),
          (hits) => hits === 1
        )
        assert.strictEqual(browser.contexts().length, 1)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(browser.contexts().length, 0)
      }).pipe(Effect.scoped, Effect.provide(rendering({})))
    )

  it.live("has a queue that ends, and says when it cannot be started", () =>
    Effect.gen(function* () {
      const slow = gate("stepped")
      const site = yield* testSite({ "/": stepping, "/second": stepping, "/step": slow.route })
      const client = yield* testScraper({ browserPages: 1, maxWaitingRenders: 0, retries: 0 })
      const first = yield* Effect.forkChild(render(client, site.url("/"), untilDone))
      yield* until(
        Effect.sync(() => site.hits("/step")),
        (hits) => hits === 1
      )
      assert.strictEqual((yield* render(client, site.url("/second"))).code, "BROWSER_BUSY")
      slow.open()
      assert.strictEqual((yield* Fiber.join(first)).markdown, "stepped\n")
      const broken = yield* testScraper({ chromium: "/bin/true", retries: 0 })
      assert.strictEqual((yield* render(broken, site.url("/"))).code, "BROWSER_UNAVAILABLE")
      const missing = yield* Effect.flip(testScraper({ chromium: "/nowhere/chromium" }))
      assert.include(String(missing), "There is no Chromium at /nowhere/chromium")
    })
  )
})
