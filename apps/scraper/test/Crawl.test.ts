import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import {
  addsUp,
  clientOf,
  crawl,
  endOf,
  keys,
  rowsOf,
  statusOf,
  testScraper,
  testServer,
  until
} from "./TestScraper.ts"
import { gate, page, redirect, testSite } from "./TestSite.ts"

const tree = {
  "/": page("home", "/a", "/b", "/a#again", "mailto:x@y.example"),
  "/a": page("a", "/a1", "/b", "/"),
  "/b": page("b", "/b1"),
  "/a1": page("a1", "/deep"),
  "/b1": page("b1"),
  "/deep": page("deep")
}

const completed = (path: string) => `${path} completed`

describe("crawl", () => {
  it.live("goes breadth first, two levels by default", () =>
    Effect.gen(function* () {
      const site = yield* testSite(tree)
      const client = yield* testScraper({ pageConcurrency: 1 })
      const job = yield* crawl(client, { url: site.url("") })
      assert.strictEqual(job.status, "completed")
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/a completed", "/b completed"])
      assert.deepStrictEqual(site.asked(), ["/", "/a", "/b"])
      const [seed, a] = job.results
      assert.strictEqual(seed?.parent_url, null)
      assert.strictEqual(seed?.depth, 1)
      assert.deepStrictEqual(seed?.links, [site.url("/a"), site.url("/b")])
      assert.strictEqual(a?.parent_url, site.url("/"))
      assert.strictEqual(a?.depth, 2)
      assert.include(a?.data?.markdown ?? "", "# a")
      assert.strictEqual(a?.data?.html, null)
      assert.deepInclude(a?.metadata, { http_status: 200, retry_count: 0, tokens_charged: 1 })
      assert.deepStrictEqual(job.token_summary, { tokens_charged_total: 3, tokens_reserved: 0 })
      assert.isNotNull(job.completed_at)
      assert.isTrue(addsUp(job))
    })
  )

  it.live("shows a page as ended with its content, however soon after its end it is asked for", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 150 }, (_, at) => `/p${at}`)
      const site = yield* testSite({
        "/": page("home", ...names),
        ...Object.fromEntries(names.map((name) => [name, page(name, "/")]))
      })
      const client = yield* testScraper({ pageConcurrency: 8, hostConcurrency: 8 })
      const { job_id } = yield* client.crawl.createCrawl({ payload: { url: site.url("/"), limit: 200 } })
      let looks = 0
      let ended = 0
      while (ended < 151) {
        const slices = yield* Effect.forEach(
          [1, 2, 3, 4],
          (page) => client.crawl.getCrawl({ params: { job_id }, query: { page, page_size: 50 } }),
          { concurrency: 4 }
        )
        const shown = slices.flatMap(({ results }) => results).filter(({ status }) => status === "completed")
        for (const { data, links, url } of shown) {
          assert.isNotNull(data, `${url} has ended without its content`)
          assert.isNotEmpty(links, url)
        }
        ended = shown.length
        looks++
      }
      assert.isAbove(looks, 3)
    })
  )

  it.live("takes depth 1 as the seed alone, and a deep one to the leaves", () =>
    Effect.gen(function* () {
      const site = yield* testSite(tree)
      const client = yield* testScraper()
      assert.deepStrictEqual(rowsOf(yield* crawl(client, { url: site.url("/"), depth: 1 })), ["/ completed"])
      assert.deepStrictEqual(rowsOf(yield* crawl(client, { url: site.url("/"), depth: 10 })), [
        "/ completed",
        "/a completed",
        "/b completed",
        "/a1 completed",
        "/b1 completed",
        "/deep completed"
      ])
    })
  )

  it.live("discovers no more pages than the limit", () =>
    Effect.gen(function* () {
      const site = yield* testSite(tree)
      const client = yield* testScraper()
      const job = yield* crawl(client, { url: site.url("/"), depth: 10, limit: 4 })
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/a completed", "/b completed", "/a1 completed"])
    })
  )

  it.live("finds the same pages in the same order whoever answers first", () =>
    Effect.gen(function* () {
      const slow = gate(page("a", "/x"))
      const site = yield* testSite({
        "/": page("home", "/a", "/b"),
        "/a": slow.route,
        "/b": page("b", "/y"),
        "/x": page("x"),
        "/y": page("y")
      })
      const client = yield* testScraper()
      const { job_id } = yield* client.crawl.createCrawl({ payload: { url: site.url("/"), depth: 3 } })
      const running = yield* until(statusOf(client, job_id), (job) => job.completed_pages === 2)
      assert.deepStrictEqual(running.token_summary, { tokens_charged_total: 2, tokens_reserved: 1 })
      assert.deepStrictEqual(
        running.results.map((row) => [row.status, row.data === null]),
        [
          ["completed", false],
          ["processing", true],
          ["completed", false]
        ]
      )
      slow.open()
      assert.deepStrictEqual(rowsOf(yield* endOf(client, job_id)), [
        "/ completed",
        "/a completed",
        "/b completed",
        "/x completed",
        "/y completed"
      ])
    })
  )

  it.live("does not let one slow host keep the others from what their pages lead to", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const other = yield* testSite({ "/": slow.route })
      const site = yield* testSite({
        "/": page("home", other.url("/"), "/a"),
        "/a": page("a", "/b"),
        "/b": page("b", "/c"),
        "/c": page("c")
      })
      const client = yield* testScraper()
      const { job_id } = yield* client.crawl.createCrawl({
        payload: { url: site.url("/"), depth: 4, same_domain_only: false }
      })
      const running = yield* until(statusOf(client, job_id), (job) => job.completed_pages === 4)
      assert.deepStrictEqual(rowsOf(running), ["/ completed", "/ processing", ...["/a", "/b", "/c"].map(completed)])
      slow.open()
      assert.strictEqual((yield* endOf(client, job_id)).completed_pages, 5)
    })
  )

  it.live("stays on its host unless told otherwise", () =>
    Effect.gen(function* () {
      const other = yield* testSite({ "/": page("other") })
      const site = yield* testSite({ "/": page("home", other.url("/")) })
      const client = yield* testScraper()
      const home = yield* crawl(client, { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(home), ["/ completed"])
      assert.deepStrictEqual(home.results[0]?.links, [other.url("/")])
      const both = yield* crawl(client, { url: site.url("/"), same_domain_only: false })
      assert.deepStrictEqual(
        both.results.map((row) => row.url),
        [site.url("/"), other.url("/")]
      )
    })
  )

  it.live("never has two rows of one URL, whatever redirects do", () =>
    Effect.gen(function* () {
      const other = yield* testSite({ "/": page("other") })
      const site = yield* testSite({
        "/": page("home", "/old", "/older", "/new", "/away", "/loop"),
        "/old": redirect("/new"),
        "/older": redirect("/fresh", 301),
        "/new": page("new"),
        "/fresh": page("fresh", "/fresh", "/older"),
        "/away": redirect(other.url("/")),
        "/loop": redirect("/loop")
      })
      const client = yield* testScraper()
      const job = yield* crawl(client, { url: site.url("/"), depth: 5 })
      assert.deepStrictEqual(rowsOf(job), [
        "/ completed",
        "/fresh completed",
        "/new completed",
        "/away REDIRECT_OUT_OF_SCOPE",
        "/loop TOO_MANY_REDIRECTS"
      ])
      assert.strictEqual(job.total_pages, 5)
      assert.isTrue(addsUp(job))
      assert.deepStrictEqual(other.asked(), [])
    })
  )

  it.live("follows the seed to where it moved, and crawls there", () =>
    Effect.gen(function* () {
      const there = yield* testSite({ "/": page("there", "/more"), "/more": page("more") })
      const site = yield* testSite({ "/": redirect(there.url("/")) })
      const job = yield* crawl(yield* testScraper(), { url: site.url("/") })
      assert.deepStrictEqual(
        job.results.map((row) => row.url),
        [there.url("/"), there.url("/more")]
      )
    })
  )

  it.live("counts a failed page, and fails only with its seed", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home", "/gone") })
      const client = yield* testScraper()
      const job = yield* crawl(client, { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/gone HTTP_ERROR"])
      assert.strictEqual(job.status, "completed")
      assert.deepInclude(job.results[1], { data: null, links: [] })
      assert.deepInclude(job.results[1]?.metadata, { http_status: 404, tokens_charged: 0 })
      assert.isTrue(addsUp(job))
      assert.strictEqual((yield* crawl(client, { url: site.url("/gone") })).status, "failed")
    })
  )

  it.live("gives the rows in slices", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 24 }, (_, index) => `/p${index}`)
      const site = yield* testSite({
        "/": page("home", ...names),
        ...Object.fromEntries(names.map((name) => [name, page(name)]))
      })
      const client = yield* testScraper()
      const job = yield* crawl(client, { url: site.url("/"), formats: ["html", "markdown"] })
      assert.strictEqual(job.total_pages, 25)
      const slice = (page: number, page_size?: number) =>
        Effect.map(statusOf(client, job.job_id, page_size === undefined ? { page } : { page, page_size }), (status) =>
          status.results.map((row) => new URL(row.url).pathname)
        )
      assert.deepStrictEqual(yield* slice(1), ["/", ...names.slice(0, 9)])
      assert.deepStrictEqual(yield* slice(3), names.slice(19))
      assert.deepStrictEqual(yield* slice(2, 7), names.slice(6, 13))
      assert.deepStrictEqual(yield* slice(9), [])
      assert.strictEqual(job.results[1]?.data?.html, page("/p0"))
    })
  )

  it.live("cancels once: what waits is cancelled, what is in work drains", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow", "/never"))
      const site = yield* testSite({
        "/": page("home", "/s1", "/s2", "/w1", "/w2"),
        "/s1": slow.route,
        "/s2": slow.route
      })
      const client = yield* testScraper({ hostConcurrency: 2 })
      const { job_id } = yield* client.crawl.createCrawl({ payload: { url: site.url("/"), depth: 3 } })
      yield* until(
        Effect.sync(() => site.asked().length),
        (asked) => asked === 3
      )
      const cancelled = yield* client.crawl.cancelCrawl({ params: { job_id } })
      assert.deepStrictEqual(cancelled, {
        job_id,
        status: "cancelled",
        status_url: `/v1/crawl/${job_id}`,
        in_flight_pages: 2
      })
      const draining = yield* statusOf(client, job_id)
      assert.strictEqual(draining.status, "cancelled")
      assert.deepStrictEqual(
        draining.results.map((row) => row.status),
        ["completed", "processing", "processing", "cancelled", "cancelled"]
      )
      assert.strictEqual(draining.token_summary.tokens_reserved, 2)
      const conflict = yield* Effect.flip(client.crawl.cancelCrawl({ params: { job_id } }))
      assert.deepInclude(conflict, {
        code: "INVALID_STATE",
        message: `Crawl job ${job_id} is already cancelled and cannot be cancelled`
      })
      slow.open()
      const end = yield* endOf(client, job_id)
      assert.deepInclude(end, { status: "cancelled", total_pages: 5, completed_pages: 3, cancelled_pages: 2 })
      assert.isTrue(addsUp(end))
      assert.strictEqual(site.hits("/w1") + site.hits("/never"), 0)
    })
  )

  it.live("keeps crawls beyond the running ones queued, and cancels those too", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const site = yield* testSite({ "/": slow.route, "/other": page("other") })
      const client = yield* testScraper({ maxRunningCrawls: 1 })
      const first = yield* client.crawl.createCrawl({ payload: { url: site.url("/") } })
      yield* until(
        Effect.sync(() => site.hits("/")),
        (hits) => hits === 1
      )
      const second = yield* client.crawl.createCrawl({ payload: { url: site.url("/other") } })
      const third = yield* client.crawl.createCrawl({ payload: { url: site.url("/other") } })
      const queued = yield* statusOf(client, second.job_id)
      assert.deepInclude(queued, { status: "queued", total_pages: 1 })
      assert.strictEqual(queued.results[0]?.status, "queued")
      assert.strictEqual((yield* client.crawl.cancelCrawl({ params: { job_id: second.job_id } })).in_flight_pages, 0)
      slow.open()
      assert.strictEqual((yield* endOf(client, first.job_id)).status, "completed")
      assert.strictEqual((yield* endOf(client, third.job_id)).status, "completed")
      const end = yield* endOf(client, second.job_id)
      assert.deepInclude(end, { status: "cancelled", total_pages: 1, cancelled_pages: 1 })
      assert.strictEqual(site.hits("/other"), 1)
    })
  )

  it.live("lists newest first, filtered, and only to the key that asked", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const baseUrl = yield* testServer()
      const client = yield* clientOf(baseUrl)
      const stranger = yield* clientOf(baseUrl, keys[1])
      const good = yield* crawl(client, { url: site.url("/") })
      const bad = yield* crawl(client, { url: site.url("/gone"), include_subdomains: true })
      const ids = (list: { readonly jobs: ReadonlyArray<{ readonly job_id: string }> }) =>
        list.jobs.map((job) => job.job_id)
      const all = yield* client.crawl.listCrawlJobs({ query: {} })
      assert.deepStrictEqual(ids(all), [bad.job_id, good.job_id])
      assert.deepInclude(all, { page: 1, page_size: 10, page_count: 1 })
      assert.deepInclude(all.jobs[0], { status: "failed", total_pages: 1, completed_pages: 0, failed_pages: 1 })
      assert.deepInclude(all.jobs[0]?.config, { include_subdomains: true, same_domain_only: true, render_js: false })
      const query = client.crawl.listCrawlJobs
      assert.deepStrictEqual(ids(yield* query({ query: { status: "completed" } })), [good.job_id])
      assert.deepStrictEqual(ids(yield* query({ query: { page: 2, page_size: 1 } })), [good.job_id])
      assert.deepStrictEqual(ids(yield* query({ query: { page: 3, page_size: 1 } })), [])
      assert.deepStrictEqual(ids(yield* query({ query: { start_date: bad.created_at, end_date: bad.created_at } })), [
        bad.job_id
      ])
      assert.deepStrictEqual(
        ids(yield* query({ query: { end_date: DateTime.subtract(good.created_at, { seconds: 1 }) } })),
        []
      )
      assert.deepStrictEqual(yield* stranger.crawl.listCrawlJobs({ query: {} }), {
        jobs: [],
        page: 1,
        page_size: 10,
        page_count: 0
      })
      assert.deepInclude(yield* Effect.flip(statusOf(stranger, good.job_id)), { code: "NOT_FOUND" })
      assert.deepInclude(yield* Effect.flip(stranger.crawl.cancelCrawl({ params: { job_id: good.job_id } })), {
        code: "NOT_FOUND"
      })
    })
  )
})
