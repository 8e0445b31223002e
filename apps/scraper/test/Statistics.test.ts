import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { isTerminal } from "@sluice/contract"
import { DateTime, Effect } from "effect"
import { clientOf, crawl, keys, stateDirectory, stoppable, testScraper, until } from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

describe("statistics", () => {
  it.live("count every page that ended, whatever job it was of, and survive a restart", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home", "/a", "/gone"), "/a": page("a") })
      const stateDir = yield* stateDirectory
      const first = yield* stoppable(stateDir)
      const { client } = first
      yield* crawl(client, { url: site.url("/") })
      yield* client.extract.createExtraction({ payload: { url: site.url("/a") } })
      yield* Effect.exit(client.extract.createExtraction({ payload: { url: site.url("/gone") } }))
      const job = yield* client.extract.createExtraction({
        payload: { url: site.url("/a"), processing_mode: "async" }
      })
      const job_id = "job_id" in job ? job.job_id : assert.fail("no job")
      yield* until(client.extract.getExtractionJob({ params: { job_id } }), ({ status }) => isTerminal(status))
      const batch = yield* client.batch.createBatch({ payload: { urls: [site.url("/a"), site.url("/a")] } })
      yield* until(client.batch.getBatch({ params: { job_id: batch.job_id }, query: {} }), ({ status }) =>
        isTerminal(status)
      )
      // A map costs nothing.
      yield* client.map.mapUrls({ payload: { url: site.url("/") } })

      const before = yield* client.statistics.getStatistics({ query: {} })
      assert.deepInclude(before, {
        extraction_count: 8,
        previous_period_extraction_count: 0,
        success_rate: 6 / 8,
        period_tokens_used: 6
      })
      const total = (figures: ReadonlyArray<number>) => figures.reduce((sum, figure) => sum + figure, 0)
      assert.strictEqual(total(before.requests.map((each) => each.success_request_count)), 6)
      assert.strictEqual(total(before.requests.map((each) => each.failed_request_count)), 2)
      assert.strictEqual(total(before.tokens_used.map((each) => each.tokens_used)), 6)
      assert.deepInclude(yield* client.statistics.getUsage({}), { open_jobs: 0, max_open_jobs: 100, tokens_used: 6 })
      yield* first.stop

      const second = yield* stoppable(stateDir)
      assert.deepStrictEqual(yield* second.client.statistics.getStatistics({ query: {} }), before)
      const later = DateTime.add(yield* DateTime.now, { hours: 2 })
      const empty = yield* second.client.statistics.getStatistics({
        query: { start_date: later, end_date: DateTime.add(later, { hours: 3 }) }
      })
      assert.deepInclude(empty, {
        extraction_count: 0,
        previous_period_extraction_count: 8,
        success_rate: 0,
        average_extraction_duration: 0,
        period_tokens_used: 0
      })
      assert.deepStrictEqual([empty.requests, empty.tokens_used], [[], []])
      const stranger = yield* clientOf(second.baseUrl, keys[1])
      assert.strictEqual((yield* stranger.statistics.getStatistics({ query: {} })).extraction_count, 0)
    })
  )

  it.live("make up for pages that ended when the server was cut off before it counted them", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const site = yield* testSite({ "/": page("home", "/a", "/slow"), "/a": page("a"), "/slow": slow.route })
      const stateDir = yield* stateDirectory
      const first = yield* stoppable(stateDir)
      const { job_id } = yield* first.client.crawl.createCrawl({ payload: { url: site.url("/") } })
      yield* until(
        first.client.crawl.getCrawl({ params: { job_id }, query: {} }),
        (job) => job.completed_pages === 2 && site.hits("/slow") === 1
      )
      yield* first.stop
      // As if it had been killed between the end of the second page and its counting.
      const log = join(stateDir, "usage.jsonl")
      const lines = readFileSync(log, "utf8").split("\n").filter(Boolean)
      writeFileSync(log, `${lines.slice(0, 1).join("\n")}\n`)
      appendFileSync(log, lines[1]?.slice(0, 20) ?? "")

      slow.open()
      const second = yield* stoppable(stateDir)
      yield* until(second.client.crawl.getCrawl({ params: { job_id }, query: {} }), ({ status }) => isTerminal(status))
      const statistics = yield* second.client.statistics.getStatistics({ query: {} })
      assert.deepInclude(statistics, { extraction_count: 3, period_tokens_used: 3 })
    })
  )

  it.live("tell live usage", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const site = yield* testSite({ "/": slow.route })
      const client = yield* testScraper({ maxOpenJobsPerKey: 7 })
      const { job_id } = yield* client.crawl.createCrawl({ payload: { url: site.url("/") } })
      assert.deepInclude(yield* client.statistics.getUsage({}), { open_jobs: 1, max_open_jobs: 7, tokens_used: 0 })
      slow.open()
      yield* until(client.crawl.getCrawl({ params: { job_id }, query: {} }), ({ status }) => isTerminal(status))
      assert.deepInclude(yield* client.statistics.getUsage({}), { open_jobs: 0, tokens_used: 1 })
    })
  )
})
