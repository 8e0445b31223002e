import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { crawl, rowsOf, testScraper } from "./TestScraper.ts"
import { page, redirect, testSite } from "./TestSite.ts"

const text = (body: string) => ({ headers: { "content-type": "text/plain" }, body })
const pages = { "/": page("home", "/open", "/closed/x"), "/open": page("open"), "/closed/x": page("closed") }

describe("robots.txt", () => {
  it.live("is obeyed, and read once", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ ...pages, "/robots.txt": text("User-agent: *\nDisallow: /closed/\n") })
      const client = yield* testScraper()
      const job = yield* crawl(client, { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/open completed", "/closed/x ROBOTS_DISALLOWED"])
      assert.strictEqual(site.hits("/closed/x"), 0)
      assert.strictEqual(site.hits("/robots.txt"), 1)
    })
  )

  it.live("speaks to this scraper by name before it speaks to all", () =>
    Effect.gen(function* () {
      const rules = "User-agent: *\nDisallow: /\n\nUser-agent: sluice-scraper\nDisallow: /closed/\nAllow: /\n"
      const site = yield* testSite({ ...pages, "/robots.txt": text(rules) })
      const job = yield* crawl(yield* testScraper(), { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/open completed", "/closed/x ROBOTS_DISALLOWED"])
    })
  )

  it.live("forbids everything while it answers 5xx, and nothing with 4xx", () =>
    Effect.gen(function* () {
      const down = yield* testSite({ ...pages, "/robots.txt": { status: 503 } })
      const client = yield* testScraper({ retries: 0 })
      const job = yield* crawl(client, { url: down.url("/") })
      assert.strictEqual(job.status, "failed")
      assert.deepStrictEqual(rowsOf(job), ["/ ROBOTS_DISALLOWED"])
      assert.strictEqual(down.hits("/"), 0)
      const none = yield* testSite({ ...pages, "/robots.txt": { status: 403 } })
      assert.strictEqual((yield* crawl(client, { url: none.url("/") })).completed_pages, 3)
    })
  )

  it.live("is found through redirects", () =>
    Effect.gen(function* () {
      const site = yield* testSite({
        ...pages,
        "/robots.txt": redirect("/r"),
        "/r": text("User-agent: *\nDisallow: /open\n")
      })
      const job = yield* crawl(yield* testScraper(), { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/open ROBOTS_DISALLOWED", "/closed/x completed"])
    })
  )

  it.live("is judged for the target of a redirect too", () =>
    Effect.gen(function* () {
      const site = yield* testSite({
        "/": page("home", "/door"),
        "/door": redirect("/closed/x"),
        "/closed/x": page("closed"),
        "/robots.txt": text("User-agent: *\nDisallow: /closed/\n")
      })
      const job = yield* crawl(yield* testScraper(), { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/door ROBOTS_DISALLOWED"])
      assert.strictEqual(site.hits("/closed/x"), 0)
    })
  )

  it.live("can be left unread", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ ...pages, "/robots.txt": text("User-agent: *\nDisallow: /\n") })
      const job = yield* crawl(yield* testScraper({ respectRobots: false }), { url: site.url("/") })
      assert.strictEqual(job.completed_pages, 3)
      assert.strictEqual(site.hits("/robots.txt"), 0)
    })
  )
})
