import { assert, describe, it } from "@effect/vitest"
import { JobId } from "@sluice/contract"
import { DateTime, Effect } from "effect"
import { TestClock } from "effect/testing"
import type { JobListing } from "../src/api/JobListing.ts"
import { Scraper } from "../src/api/Scraper.ts"
import { orphanDefaults, readRecentJobs, withoutOthers } from "../src/source/Orphans.ts"
import { fakeApi, json, scraperOver } from "./FakeApi.ts"

const now = Date.parse("2026-05-02T12:00:00Z")
const hour = 3_600_000
const at = (millis: number) => DateTime.formatIso(DateTime.makeUnsafe(millis))

const crawlRow = (id: string, row: Readonly<Record<string, unknown>> = {}) => ({
  job_id: id,
  url: "https://site.test/",
  status: "completed",
  total_pages: 9,
  completed_pages: 9,
  failed_pages: 0,
  config: {},
  created_at: at(now - 2 * hour),
  completed_at: at(now - hour),
  ...row
})

const listing = (id: string): JobListing => ({
  jobId: JobId.make(id),
  status: "completed",
  createdAt: now,
  endedAt: now,
  completed: 2,
  url: null,
  accepted: 2,
  config: {}
})

/** What is found in a list of so many pages, each as `pageOf` says. */
const recentIn = (
  kind: "crawl" | "extract",
  pages: number,
  pageOf: (page: number) => ReadonlyArray<Readonly<Record<string, unknown>>>
) =>
  Effect.gen(function* () {
    const api = fakeApi((request) => {
      const page = Number(new Map(request.urlParams.params).get("page"))
      return json({ jobs: pageOf(page), page, page_size: 100, page_count: pages })
    })
    yield* TestClock.setTime(now)
    const found = yield* Effect.flatMap(Scraper, (scraper) =>
      readRecentJobs(scraper, kind, orphanDefaults, false)
    ).pipe(Effect.provide(scraperOver(api)))
    return { ids: found.jobs.map(({ jobId }) => String(jobId)), doubt: found.doubt, sent: api.sent }
  })

describe("jobs that run or have ended of late", () => {
  it.effect("are those that run, and those that gave something and ended within the window", () =>
    Effect.gen(function* () {
      const rows = [
        crawlRow("ended"),
        crawlRow("runs", { status: "processing", completed_at: null, completed_pages: 0 }),
        crawlRow("queued", { status: "pending", completed_at: null }),
        crawlRow("ended long ago", { created_at: at(now - 20 * hour), completed_at: at(now - 13 * hour) }),
        crawlRow("made before", { created_at: at(now - 25 * hour), status: "processing", completed_at: null }),
        crawlRow("cancelled with pages", { status: "cancelled" }),
        crawlRow("cancelled without", { status: "cancelled", completed_pages: 0 }),
        crawlRow("failed without", { status: "failed", completed_pages: 0 }),
        crawlRow("does not tell when", { created_at: null, completed_at: null })
      ]
      const { doubt, ids, sent } = yield* recentIn("crawl", 1, () => rows)
      assert.deepStrictEqual(ids, ["ended", "runs", "queued", "cancelled with pages", "does not tell when"])
      // One of them is from before the date that was asked for.
      assert.include(doubt, "before the date")
      assert.lengthOf(sent, 1)
      assert.include(sent[0]?.url, "start_date=2026-05-01T12")
    })
  )

  it.effect("are told by how long extractions took", () =>
    Effect.gen(function* () {
      const row = (id: string, made: number, rest = {}) => ({
        job_id: id,
        status: "completed",
        url: "https://site.test/",
        created_at: at(made),
        execution_time: 900,
        output: ["markdown"],
        ...rest
      })
      const { doubt, ids } = yield* recentIn("extract", 1, () => [
        row("ended", now - hour),
        row("ended long ago", now - 14 * hour),
        row("failed", now - hour, { status: "failed" }),
        row("runs", now - hour, { status: "processing", execution_time: null })
      ])
      assert.deepStrictEqual(ids, ["ended", "runs"])
      assert.isUndefined(doubt)
    })
  )

  it.effect("are looked for on a named number of pages, and no further", () =>
    Effect.gen(function* () {
      const { doubt, ids, sent } = yield* recentIn("crawl", 99, (page) =>
        Array.from({ length: 100 }, (_, row) => crawlRow(`${page}/${row}`))
      )
      assert.lengthOf(sent, orphanDefaults.maxPages)
      assert.lengthOf(ids, 100 * orphanDefaults.maxPages)
      assert.strictEqual(doubt, "it has more than 10 pages")
    })
  )

  it.effect("are of the request where a batch holds no other URLs, of those that are read", () =>
    Effect.gen(function* () {
      const body = { urls: ["https://site.test/1", "https://site.test/2"] }
      const jobs = ["ours", "others", "empty", "gone", "not read"].map((jobId) => listing(jobId))
      const urlsOf: Readonly<Record<string, ReadonlyArray<string>>> = {
        ours: ["https://SITE.test/2"],
        others: ["https://site.test/1", "https://site.test/3"],
        empty: []
      }
      const api = fakeApi((request) => {
        const id = decodeURIComponent(request.url.split("/").at(-1) ?? "")
        const urls = urlsOf[id]
        if (urls === undefined) return json({}, 404)
        return json({ job_id: id, status: "completed", results: urls.map((url) => ({ url, status: "completed" })) })
      })
      const left = yield* Effect.flatMap(Scraper, (scraper) =>
        withoutOthers(scraper, { kind: "batch", url: body.urls[0]!, body }, jobs, { ...orphanDefaults, maxReads: 4 })
      ).pipe(Effect.provide(scraperOver(api)))
      assert.deepStrictEqual(
        left.map(({ jobId }) => String(jobId)),
        ["ours", "empty", "gone", "not read"]
      )
      assert.lengthOf(api.sent, 4)
    })
  )
})
