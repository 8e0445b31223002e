import { assert, describe, it } from "@effect/vitest"
import type { CrawlRequest } from "@sluice/contract"
import { Effect } from "effect"
import { crawl, testScraper } from "./TestScraper.ts"
import { page, testSite } from "./TestSite.ts"

/** A site whose sitemap names pages that nothing links to. */
const site = Effect.gen(function* () {
  const made = yield* testSite({
    "/": page("home", "/linked"),
    "/linked": page("linked"),
    "/alone": page("alone", "/behind"),
    "/behind": page("behind")
  })
  const urls = ["/linked", "/alone"].map((path) => `<url><loc>${made.url(path)}</loc></url>`)
  const elsewhere = "<url><loc>http://elsewhere.example/</loc></url>"
  made.set("/sitemap.xml", {
    headers: { "content-type": "application/xml" },
    body: `<urlset>${urls.join("")}${elsewhere}</urlset>`
  })
  return made
})

const crawled = Effect.fnUntraced(function* (crawlSitemaps: boolean, options: Partial<CrawlRequest> = {}) {
  const { hits, url } = yield* site
  const client = yield* testScraper({ crawlSitemaps })
  const job = yield* crawl(client, { url: url("/"), depth: 3, ...options })
  assert.strictEqual(job.status, "completed")
  return {
    pages: job.results.map(({ depth, parent_url, url }) => [
      new URL(url).pathname,
      depth,
      parent_url === null ? null : new URL(parent_url).pathname
    ]),
    asked: () => hits("/sitemap.xml")
  }
})

describe("the sitemaps of a crawled site", () => {
  it.live("lead on from the first page after its own links, where they are to", () =>
    Effect.gen(function* () {
      const { pages } = yield* crawled(true)
      assert.deepStrictEqual(pages, [
        ["/", 1, null],
        ["/linked", 2, "/"],
        ["/alone", 2, "/"],
        ["/behind", 3, "/alone"]
      ])
    })
  )

  it.live("are not read otherwise, nor where no page but the first is wanted", () =>
    Effect.gen(function* () {
      const plain = yield* crawled(false)
      assert.deepStrictEqual(
        plain.pages.map(([path]) => path),
        ["/", "/linked"]
      )
      const first = yield* crawled(true, { depth: 1 })
      assert.lengthOf(first.pages, 1)
      assert.strictEqual(plain.asked() + first.asked(), 0)
    })
  )

  it.live("count towards the limit", () =>
    Effect.gen(function* () {
      const { pages } = yield* crawled(true, { limit: 2 })
      assert.deepStrictEqual(
        pages.map(([path]) => path),
        ["/", "/linked"]
      )
    })
  )
})
