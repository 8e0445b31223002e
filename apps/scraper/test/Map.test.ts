import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { type MapResponse, MapTimedOut } from "@sluice/contract"
import { Effect } from "effect"
import { guesses } from "../src/crawl/SiteDiscovery.ts"
import { clientOf, keys, testScraper, testServer } from "./TestScraper.ts"
import { page, type Route, redirect, testSite } from "./TestSite.ts"

const xml = (body: string): Route => ({ headers: { "content-type": "application/xml" }, body })
const urlset = (...urls: ReadonlyArray<string>) =>
  `<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${urls
    .map((url) => `<url><loc>\n ${url} </loc><lastmod>2026-01-01</lastmod></url>`)
    .join("")}</urlset>`
const index = (...urls: ReadonlyArray<string>) =>
  `<sitemapindex>${urls.map((url) => `<sitemap><loc>${url}</loc></sitemap>`).join("")}</sitemapindex>`
const robots = (...lines: ReadonlyArray<string>): Route => ({
  headers: { "content-type": "text/plain" },
  body: lines.join("\n")
})

/** Source and path of each link. */
const linksOf = (answer: MapResponse): ReadonlyArray<string> =>
  answer.links.map(({ source, url }) => `${source} ${new URL(url).pathname}${new URL(url).search}`)

describe("map", () => {
  it.live("lists the URLs of sitemaps and of the seed's links, each once", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home", "/b", "/c", "https://elsewhere.example/") })
      const { url } = site
      site.set("/sitemap.xml", xml(urlset(url("/a"), url("/b?x=1&amp;y=2"), "https://elsewhere.example/a", url("/a"))))
      const client = yield* testScraper()
      const answer = yield* client.map.mapUrls({ payload: { url: url("/") } })
      assert.isTrue(answer.success)
      assert.deepStrictEqual(linksOf(answer), ["sitemap /a", "sitemap /b", "html /c"])
      assert.isNull(answer.warning)
      assert.deepInclude(answer.metadata, { url: url("/"), links_count: 3 })
      const withQueries = yield* client.map.mapUrls({ payload: { url: url("/"), ignore_query_parameters: false } })
      assert.deepStrictEqual(linksOf(withQueries), ["sitemap /a", "sitemap /b?x=1&y=2", "html /b", "html /c"])
      // Nothing is crawled.
      assert.strictEqual(site.hits("/a") + site.hits("/c"), 0)
    })
  )

  it.live("keeps URLs that contain the search, whatever the case", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home", "/Blog/one", "/shop", "/my-blog") })
      const client = yield* testScraper()
      const answer = yield* client.map.mapUrls({ payload: { url: site.url("/"), search: "bLOG" } })
      assert.deepStrictEqual(linksOf(answer), ["html /Blog/one", "html /my-blog"])
    })
  )

  it.live("follows robots.txt and index files, gzipped ones and plain lists too", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const { url } = site
      site.set("/robots.txt", robots(`Sitemap: ${url("/index.xml.gz")}`, "Sitemap: /list.txt", "User-agent: *"))
      site.set("/index.xml.gz", {
        headers: { "content-type": "application/gzip" },
        body: gzipSync(index(url("/one.xml"), url("/two.xml"), url("/index.xml.gz")))
      })
      site.set(
        "/one.xml",
        xml(
          `<urlset xmlns:image="i"><url><loc><![CDATA[${url("/cdata")}]]></loc><image:image><image:loc>${url("/i.png")}</image:loc></image:image></url></urlset>`
        )
      )
      site.set("/two.xml", { headers: { "content-encoding": "gzip" }, body: gzipSync(urlset(url("/two"))) })
      site.set("/list.txt", {
        headers: { "content-type": "text/plain" },
        body: `\ufeff${url("/l1")}\r\n${url("/l2")}\n`
      })
      const answer = yield* (yield* testScraper()).map.mapUrls({ payload: { url: url("/") } })
      assert.deepStrictEqual(linksOf(answer), ["sitemap /l1", "sitemap /l2", "sitemap /cdata", "sitemap /two"])
      assert.isNull(answer.warning)
      assert.strictEqual(site.hits("/index.xml.gz"), 1)
    })
  )

  it.live("is bounded in URLs, files, bytes and depth, and says so", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const { url } = site
      const client = yield* testScraper({ maxMapLinks: 3, maxSitemaps: 4, maxPageBytes: 20_000 })
      const map = Effect.map(client.map.mapUrls({ payload: { url: url("/") } }), (answer) => ({
        links: linksOf(answer),
        warning: answer.warning ?? ""
      }))
      site.set("/sitemap.xml", xml(urlset(url("/1"), url("/2"), url("/3"), url("/4"))))
      const many = yield* map
      assert.deepStrictEqual(many.links, ["sitemap /1", "sitemap /2", "sitemap /3"])
      assert.include(many.warning, "Only the first 3 URLs are listed")

      site.set("/sitemap.xml", xml(index(...["/a.xml", "/b.xml", "/c.xml", "/d.xml", "/e.xml"].map(url))))
      site.set("/a.xml", xml(urlset(url("/a"))))
      site.set("/b.xml", {
        headers: {},
        body: gzipSync(urlset(...Array.from({ length: 2000 }, (_, n) => url(`/b${n}`))))
      })
      site.set("/c.xml", { headers: {}, body: Buffer.from([0x1f, 0x8b, 1, 2, 3]) })
      const files = yield* map
      assert.deepStrictEqual(files.links, ["sitemap /a"])
      assert.include(files.warning, "Only 4 sitemaps were read")
      assert.include(files.warning, "/b.xml could not be read: The sitemap unpacks to more than 20000 bytes")
      assert.include(files.warning, "/c.xml could not be read: The gzipped sitemap is damaged")
      assert.strictEqual(site.hits("/d.xml"), 0)

      for (const [name, next] of ["sitemap", "s2", "s3", "s4"].entries()) {
        site.set(`/${next}.xml`, xml(index(url(`/s${name + 2}.xml`))))
      }
      assert.include((yield* map).warning, "nested deeper than 3")
      assert.strictEqual(site.hits("/s4.xml"), 0)
    })
  )

  it.live("obeys robots.txt, for sitemaps as for pages", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home", "/a"), "/robots.txt": robots("User-agent: *", "Disallow: /") })
      const client = yield* testScraper()
      const refused = yield* Effect.flip(client.map.mapUrls({ payload: { url: site.url("/") } }))
      assert.deepInclude(refused, { code: "ROBOTS_DISALLOWED" })
      assert.deepStrictEqual(site.asked(), [])
    })
  )

  it.live("takes the sitemap alone where the page cannot be had, and fails where nothing can", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/sitemap.xml": "" })
      site.set("/sitemap.xml", xml(urlset(site.url("/a"))))
      const client = yield* testScraper()
      const answer = yield* client.map.mapUrls({ payload: { url: site.url("/") } })
      assert.deepStrictEqual(linksOf(answer), ["sitemap /a"])
      assert.include(answer.warning ?? "", "The target answered 404")
      site.set("/sitemap.xml", { status: 404 })
      assert.deepInclude(yield* Effect.flip(client.map.mapUrls({ payload: { url: site.url("/") } })), {
        code: "HTTP_ERROR"
      })
      const guarded = yield* testScraper({ allowPrivateTargets: false })
      assert.deepInclude(yield* Effect.flip(guarded.map.mapUrls({ payload: { url: site.url("/") } })), {
        code: "BLOCKED_TARGET"
      })
    })
  )

  it.live("succeeds with nothing, and says so", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const answer = yield* (yield* testScraper()).map.mapUrls({ payload: { url: site.url("/") } })
      assert.deepInclude(answer, { success: true, warning: "No URL was found" })
      assert.deepStrictEqual(answer.links, [])
    })
  )

  it.live("maps the site to which the seed moved", () =>
    Effect.gen(function* () {
      const there = yield* testSite({ "/": page("there", "/more") })
      there.set("/sitemap.xml", xml(urlset(there.url("/listed"))))
      const site = yield* testSite({ "/": redirect(there.url("/")) })
      const payload = { url: site.url("/"), include_subdomains: false }
      const answer = yield* (yield* testScraper()).map.mapUrls({ payload })
      assert.deepStrictEqual(linksOf(answer), ["sitemap /listed", "html /more"])
    })
  )

  it.live("is answered 408 when it takes too long, and does not wait for one slow sitemap", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home", "/a"), "/sitemap.xml": () => undefined })
      const patient = yield* testScraper({ sitemapTimeoutMs: 50 })
      assert.deepStrictEqual(linksOf(yield* patient.map.mapUrls({ payload: { url: site.url("/") } })), ["html /a"])
      const hasty = yield* testScraper({ mapTimeoutMs: 50 })
      const late = yield* Effect.flip(hasty.map.mapUrls({ payload: { url: site.url("/") } }))
      assert.instanceOf(late, MapTimedOut)
      assert.deepInclude(late, { code: "TIMEOUT" })
      const { jobs } = yield* hasty.map.listMapJobs({ query: {} })
      assert.deepInclude(jobs[0], { status: "failed", error_code: "TIMEOUT", links_count: null })
    })
  )

  it.live("stores each call as a job of the key that made it", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home", "/a", "/b") })
      const baseUrl = yield* testServer()
      const client = yield* clientOf(baseUrl)
      yield* client.map.mapUrls({ payload: { url: site.url("/"), search: "a", include_subdomains: false } })
      const gone = client.map.mapUrls({ payload: { url: site.url("/gone") } })
      assert.deepInclude(yield* Effect.flip(gone), { code: "HTTP_ERROR" })
      const list = yield* client.map.listMapJobs({ query: {} })
      assert.deepStrictEqual(
        list.jobs.map((job) => [job.status, job.links_count, job.search, job.error_code]),
        [
          ["failed", null, null, "HTTP_ERROR"],
          ["completed", 1, "a", null]
        ]
      )
      const job_id = list.jobs[1]?.job_id ?? assert.fail("no job")
      const job = yield* client.map.getMapJob({ params: { job_id } })
      assert.deepInclude(job, { tokens_charged: 0, include_subdomains: false, ignore_query_parameters: true })
      assert.deepStrictEqual(job.links, [{ url: site.url("/a"), source: "html" }])
      assert.strictEqual((yield* client.map.listMapJobs({ query: { status: "completed" } })).jobs.length, 1)
      const stranger = yield* clientOf(baseUrl, keys[1])
      assert.deepInclude(yield* Effect.flip(stranger.map.getMapJob({ params: { job_id } })), { code: "NOT_FOUND" })
    })
  )

  it("looks for sitemaps at a site's usual siblings, and where there can be none does not", () => {
    assert.deepStrictEqual(guesses("https://www.a.example:8443/x", true), [
      "https://www.a.example:8443/sitemap.xml",
      "https://docs.a.example:8443/sitemap.xml",
      "https://blog.a.example:8443/sitemap.xml",
      "https://help.a.example:8443/sitemap.xml",
      "https://support.a.example:8443/sitemap.xml"
    ])
    assert.lengthOf(guesses("https://a.example/", false), 1)
    for (const host of ["127.0.0.1", "[::1]", "localhost"]) assert.lengthOf(guesses(`http://${host}/`, true), 1)
  })
})
