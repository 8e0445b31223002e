import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { directory, runJson } from "../../apps/runner/test/Cli.ts"
import { page, serveHttp } from "../../apps/runner/test/Site.ts"
import { assertCompleted, countRows, readPages } from "./Crawled.ts"

/** A site with a sitemap, which counts what it is asked for. */
const mappedSite = Effect.gen(function* () {
  const asked: Array<string> = []
  const pages: Readonly<Record<string, string>> = {
    "/": page("home", "/blog/linked", "/shop"),
    "/blog/one": page("one", "/shop"),
    "/blog/two": page("two"),
    "/blog/linked": page("linked"),
    "/shop": page("shop")
  }
  const listed = ["/blog/one", "/blog/two", "/blog/gone", "/about"]
  const origin: string = yield* serveHttp((request, response) => {
    const path = request.url ?? "/"
    asked.push(path)
    const html = pages[path]
    if (path === "/sitemap.xml") {
      const urls = listed.map((each) => `<url><loc>http://${request.headers.host}${each}</loc></url>`).join("")
      response.writeHead(200, { "content-type": "application/xml" }).end(`<urlset>${urls}</urlset>`)
    } else if (html === undefined) response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>")
    else response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html)
  })
  return { origin, hits: (path: string) => asked.filter((each) => each === path).length }
})

/** Runs a pipeline with the embedded scraper into the embedded database, as a file without any setting does. */
const runInto = Effect.fnUntraced(function* (source: string) {
  const cwd = yield* directory
  writeFileSync(
    join(cwd, "sluice.yaml"),
    `name: embedded
source:
${source}
sinks:
  - postgres: {}
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
  )
  const receipt = yield* runJson<Receipt>(["run", "--json"], { cwd })
  assertCompleted(receipt)
  return { receipt, pages: yield* readPages({ cwd }), rows: yield* countRows({ cwd }) }
})

/** Path and end of each page that landed. */
const ends = (pages: Effect.Success<ReturnType<typeof runInto>>["pages"]) =>
  pages.map(({ status, tokens, url }) => [new URL(url).pathname, status, tokens])

describe("the embedded scraper", () => {
  // The batch of a map goes the same way.
  if (process.env.SLUICE_LONG_TESTS !== undefined)
    it.live(
      "carries out a batch, in as many jobs as it takes",
      () =>
        Effect.gen(function* () {
          const { hits, origin } = yield* mappedSite
          const urls = ["/blog/one", "/shop", "/blog/one", "/blog/gone", "/"].map((path) => `"${origin}${path}"`)
          const { pages, receipt, rows } = yield* runInto(`  batch: { urls: [${urls.join(", ")}], batch_size: 3 }`)
          assert.deepStrictEqual(ends(pages), [
            ["/", "completed", 1],
            ["/blog/gone", "failed", 0],
            ["/blog/one", "completed", 1],
            ["/blog/one", "completed", 1],
            ["/shop", "completed", 1]
          ])
          assert.isAbove(pages[0]?.characters ?? 0, 10)
          assert.deepInclude(receipt.pages, { discovered: 5, completed: 4, failed: 1 })
          assert.deepStrictEqual(
            receipt.jobs.map(({ kind, status }) => [kind, status]),
            [
              ["batch", "completed"],
              ["batch", "completed"]
            ]
          )
          assert.deepInclude(rows, { pages: 5, page_metadata: 5 })
          assert.strictEqual(hits("/blog/one"), 2)
        }),
      120_000
    )

  it.live(
    "maps a site into a batch",
    () =>
      Effect.gen(function* () {
        const { hits, origin } = yield* mappedSite
        const { pages, receipt } = yield* runInto(
          `  map: { url: "${origin}/", search: BLOG, into: { batch: { formats: [markdown] } } }`
        )
        assert.deepStrictEqual(ends(pages), [
          ["/blog/gone", "failed", 0],
          ["/blog/linked", "completed", 1],
          ["/blog/one", "completed", 1],
          ["/blog/two", "completed", 1]
        ])
        assert.deepInclude(receipt.pages, { discovered: 4, completed: 3, failed: 1 })
        assert.strictEqual(receipt.requests.submitted, 2)
        assert.strictEqual(hits("/shop") + hits("/about"), 0)
      }),
    120_000
  )
})
