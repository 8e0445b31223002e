import { assert, it } from "@effect/vitest"
import { dailySample } from "@sluice/testkit"
import { Effect } from "effect"
import { describeInBrowser, render } from "./TestBrowser.ts"
import { testScraper } from "./TestScraper.ts"
import { page, type Route, testSite } from "./TestSite.ts"

const script = (source: string) => `<!doctype html><body><p>content</p><script>${source}</script>`

/** A page, and how it ends: an `error_code`, or nothing where its content lands all the same. */
const hostile: Readonly<Record<string, readonly [code: string, route: Route]>> = {
  "/memory": [
    "PAGE_CRASHED",
    script("const all = []; while (true) all.push(new Array(100000).fill(all.length + 0.5))")
  ],
  "/endless": ["TIMEOUT", script("while (true) {}")],
  "/busy": ["TIMEOUT", script("addEventListener('DOMContentLoaded', () => { while (true) {} })")],
  "/alert": [
    "",
    script("alert(1); confirm(2); prompt(3); addEventListener('beforeunload', (e) => e.preventDefault())")
  ],
  "/alerts": ["TIMEOUT", script("while (true) alert(1)")],
  "/download": ["", script("location.href = '/zip'")],
  "/saved": ["", script("const a = document.createElement('a'); a.href = '/zip'; a.download = 'z'; a.click()")],
  "/reload": ["TOO_MANY_REDIRECTS", script("location.reload()")],
  "/ping": ["TOO_MANY_REDIRECTS", script("location.href = '/pong'")],
  "/pong": ["TOO_MANY_REDIRECTS", script("location.replace('/ping')")],
  "/windows": ["", script("for (let i = 0; i < 50; i++) window.open('/window')")],
  "/grown": ["PAGE_TOO_LARGE", script("document.body.append('x'.repeat(3000000))")],
  "/greedy": ["PAGE_TOO_LARGE", script("const more = () => fetch('/megabyte').then(more); more();")],
  "/chrome": ["", script("location.href = 'chrome://crash'")],
  "/tampered": [
    "",
    script(`Object.defineProperty(Element.prototype, 'outerHTML', { get: () => { throw 1 } });
      String.prototype.toString = JSON.stringify = document.querySelector = () => { throw 2 }`)
  ]
}

describeInBrowser("a page that misbehaves in the browser", () => {
  it.live(
    "ends in a defined way, and the next one is rendered as ever",
    () =>
      Effect.gen(function* () {
        const site = yield* testSite({
          ...Object.fromEntries(Object.entries(hostile).map(([path, [, route]]) => [path, route])),
          "/zip": { headers: { "content-type": "application/zip" }, body: "PK" },
          "/megabyte": { headers: { "cache-control": "no-store" }, body: "x".repeat(1_000_000) },
          "/window": page("window"),
          "/good": script("document.body.append('rendered')")
        })
        const client = yield* testScraper({
          browserPages: 1,
          browserHeapMiB: 64,
          maxPageBytes: 2_000_000,
          maxRenderTrafficBytes: 10_000_000,
          maxRedirects: 3,
          retries: 0
        })
        const chosen = dailySample(Object.entries(hostile), 3)
        for (const [path, [code]] of chosen) {
          const wait = {
            ...(path === "/greedy" ? { wait_for: "#never" } : {}),
            ...(code === "TIMEOUT" ? { wait_timeout: 1000 } : {})
          }
          const end = yield* render(client, site.url(path), { wait_config: wait })
          assert.strictEqual(end.code, code, path)
          if (code === "") assert.include(end.markdown, "content", path)
          assert.include((yield* render(client, site.url("/good"))).markdown, "rendered", `after ${path}`)
        }
        assert.strictEqual(site.hits("/window"), 0)
        assert.strictEqual(site.hits("/reload"), chosen.some(([path]) => path === "/reload") ? 4 : 0)
      }),
    180_000
  )
})
