import { createServer } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import fc from "fast-check"
import { CrawlTraps, type TrapRule } from "../src/crawl/CrawlTraps.ts"
import { pageKey } from "../src/crawl/pageKey.ts"
import { type ScraperConfig, withDefaults } from "../src/ScraperConfig.ts"
import { crawl, stateDirectory, stoppable, testScraper, until } from "./TestScraper.ts"

const traps = (config: Partial<ScraperConfig> = {}) =>
  new CrawlTraps(withDefaults({ apiKeys: [Redacted.make("k")], ...config }))

/** How many of the URLs are let through, and the rules that kept the others. */
const taken = (urls: Iterable<string>, config: Partial<ScraperConfig> = {}) => {
  const rules = new Set<TrapRule>()
  const crawl = traps(config)
  let count = 0
  for (const url of urls) {
    const rule = crawl.take(url)
    if (rule === undefined) count++
    else rules.add(rule)
  }
  return { count, rules: [...rules] }
}
const many = (count: number, url: (at: number) => string) => Array.from({ length: count }, (_, at) => url(at))
const day = (at: number) => new Date(Date.UTC(2000, 0, 1) + at * 86_400_000).toISOString().slice(0, 10)

describe("pageKey", () => {
  for (const [one, other] of [
    ["http://a.example/p?x=1&y=2", "http://a.example/p?y=2&x=1"],
    ["http://a.example/p?x=1", "http://a.example/p?x=1&PHPSESSID=abc"],
    ["http://a.example/p", "http://a.example/p;jsessionid=9F2A"],
    ["http://a.example/p", "http://a.example/(S(lit3py55t21z5v55vlm25s55))/p"],
    ["http://a.example/p", "http://a.example/p?utm_source=x&utm_campaign=y&gclid=z"]
  ] as const) {
    it(`takes ${other} for ${one}`, () => assert.strictEqual(pageKey(other), pageKey(one)))
  }
  for (const [one, other] of [
    ["http://a.example/p?x=1", "http://a.example/p?x=2"],
    ["http://a.example/p?x=1&x=2", "http://a.example/p?x=2&x=1"],
    ["http://a.example/p", "http://a.example/p/"],
    ["http://a.example/p?id=7", "http://a.example/p"],
    ["http://a.example/p?side=1", "http://a.example/p?side=2"],
    ["http://a.example/S(x)/p", "http://a.example/p"]
  ] as const) {
    it(`tells ${other} from ${one}`, () => assert.notStrictEqual(pageKey(other), pageKey(one)))
  }
})

describe("a trap", () => {
  for (const [name, rule, most, urls] of [
    ["a calendar of days", "calendar", 400, many(3000, (at) => `http://a.example/events/${day(at)}`)],
    ["a calendar in the query", "calendar", 400, many(3000, (at) => `http://a.example/c?year=${at}&month=${at % 12}`)],
    ["session ids", "same-page", 1, many(500, (at) => `http://a.example/p?sid=${at}`)],
    ["session ids in paths", "same-page", 1, many(500, (at) => `http://a.example/p;jsessionid=${at}`)],
    ["relative links that pile up", "repeated-path", 3, many(500, (at) => `http://a.example${"/a".repeat(at + 1)}`)],
    ["two of them in turns", "repeated-path", 3, many(500, (at) => `http://a.example${"/a/b".repeat(at + 1)}`)],
    ["facets", "query", 500, many(3000, (at) => `http://a.example/l?size=${at}&colour=${at % 7}&sort=${at % 3}`)],
    ["a parameter that always changes", "query", 5000, many(9000, (at) => `http://a.example/p?t=${at * 1e9}`)],
    ["hosts without an end", "hosts", 1000, many(3000, (at) => `http://h${at}.a.example/`)],
    ["a host within a host", "repeated-path", 1, many(50, (at) => `http://${"www.".repeat(at + 1)}a.example/`)],
    ["URLs that grow", "long-url", 1015, many(3000, (at) => `http://a.example/?q=${"xy".repeat(at)}`)]
  ] as const) {
    it(`of ${name} is left after ${most} pages`, () => {
      const { count, rules } = taken(urls)
      assert.strictEqual(count, most)
      assert.deepStrictEqual(rules, [rule])
    })
  }

  it("is not what an honest site looks like", () => {
    for (const urls of [
      many(5000, (at) => `http://shop.example/product/${at}`),
      many(4000, (at) => `http://forum.example/viewtopic.php?f=${at % 9}&t=${at}`.replace("f=0&", "")).slice(0, 400),
      many(4000, (at) => `http://blog.example/${day(at).replaceAll("-", "/")}/post-${at}`),
      many(300, (at) => `http://blog.example/${1995 + Math.floor(at / 12)}/${(at % 12) + 1}/`),
      many(4000, (at) => `http://news.example/article.php?id=${at}&lang=en`),
      many(900, (at) => `http://user${at}.host.example/`),
      many(300, (at) => `http://docs.example/v${at % 5}/api/module-${at}/class/method/`),
      ["http://a.example/docs/docs/docs", "http://a.example/1/1/1", "http://a.example/a/b/a/b/a/b"],
      many(50, (at) => `http://a.example/search?q=x&page=${at}&sort=price`),
      many(2000, (at) => `http://wiki.example/index.php?title=Page_${at}&action=view`)
    ]) {
      assert.deepStrictEqual(taken(urls), { count: urls.length, rules: [] }, urls[0])
    }
  })

  it("is none of a few hundred different pages, whatever they are called", () => {
    const word = fc.constantFrom("docs", "2019", "blog", "05", "a", "b", "post", "item-7", "über", "index.html", "x")
    const url = fc
      .tuple(
        fc.array(word, { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("id", "page", "q", "year", "sort"), fc.nat(400).map(String), { maxKeys: 3 })
      )
      .map(([path, query]) => new URL(`http://a.example/${path.join("/")}?${new URLSearchParams(query)}`).href)
    fc.assert(
      fc.property(fc.array(url, { maxLength: 300 }), (urls) => {
        // Different by more than the order of parameters.
        const different = [...new Map(urls.map((each) => [pageKey(each), each])).values()]
        assert.deepStrictEqual(taken(different), { count: different.length, rules: [] })
      }),
      { numRuns: 60 }
    )
  })
})

/** A site that makes up a page for whatever it is asked for, of the kind that its first path segment names. */
const endlessSite = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly asked: () => number; readonly close: () => void }>((resume) => {
    let asked = 0
    const text =
      "The same words again and again, on whatever page one comes to, for nothing is here to be read. ".repeat(4)
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://site.example")
      if (url.pathname === "/robots.txt") return void response.writeHead(404).end()
      const n = ++asked
      const next = [1, 2, 3].map((at) => `${n}${at}`)
      const links: Readonly<Record<string, ReadonlyArray<string>>> = {
        "": ["/calendar/2000-01-01", "/session?sid=0", "/deep/", "/facets?a=1&b=1&c=1", "/lost/0"],
        calendar: next.map((at) => `/calendar/${day(Number(at) % 50_000)}`),
        session: next.map((at) => `/session?sid=${at}`),
        deep: ["x/", "y/../x/"],
        facets: next.map((at) => `/facets?a=${at}&b=${n}&c=2`),
        lost: next.map((at) => `/lost/${at}`)
      }
      const kind = url.pathname.split("/")[1] ?? ""
      const own = kind === "lost" ? text : `${text} ${n}`
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<p>${own}</p>${(links[kind] ?? []).map((link) => `<a href="${link}">next</a>`).join(" ")}`)
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      const close = () => {
        server.closeAllConnections()
        server.close()
      }
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}/`, asked: () => asked, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const bounds = { maxCalendarPages: 10, maxFacets: 10, maxEchoes: 5 } as const

describe("a site without an end", () => {
  it.live("is left by a crawl that could go on, at the bounds of its traps", () =>
    Effect.gen(function* () {
      const site = yield* endlessSite
      const client = yield* testScraper(bounds)
      const job = yield* crawl(client, { url: site.url, depth: 10, limit: 2000 })
      assert.strictEqual(job.status, "completed")
      assert.isBelow(job.total_pages, 80)
      assert.strictEqual(site.asked(), job.total_pages)
      const paths = job.results.map((row) => new URL(row.url).pathname.split("/")[1] ?? "")
      const count = (kind: string) => paths.filter((each) => each === kind).length
      assert.strictEqual(count("calendar"), 10)
      assert.strictEqual(count("facets"), 10)
      assert.strictEqual(count("session"), 1)
      assert.strictEqual(count("deep"), 4)
      // The first five that say the same lead on to three others each.
      assert.strictEqual(job.total_pages, 1 + 10 + 10 + 1 + 4 + (1 + 5 * 3))
    })
  )

  it.live("is not begun again by a restart", () =>
    Effect.gen(function* () {
      const site = yield* endlessSite
      const stateDir = yield* stateDirectory
      const first = yield* stoppable(stateDir, { ...bounds, hostDelayMs: 20 })
      const { job_id } = yield* first.client.crawl.createCrawl({
        payload: { url: `${site.url}calendar/2000-01-01`, depth: 10, limit: 2000 }
      })
      yield* until(
        Effect.sync(() => site.asked()),
        (asked) => asked > 3
      )
      yield* first.stop
      const second = yield* stoppable(stateDir, bounds)
      const status = second.client.crawl.getCrawl({ params: { job_id }, query: {} })
      const job = yield* until(status, (each) => each.status === "completed")
      assert.strictEqual(job.total_pages, 10)
    })
  )
})
