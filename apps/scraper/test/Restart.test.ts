import { assert, describe, it } from "@effect/vitest"
import { isTerminal } from "@sluice/contract"
import { Duration, Effect, Exit, Fiber, Redacted } from "effect"
import { serve } from "../src/index.ts"
import { addsUp, crawl, endOf, rowsOf, stateDirectory, statusOf, stoppable, until } from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

describe("a restart", () => {
  it.live("goes on with an open crawl and fetches no finished page again", () =>
    Effect.gen(function* () {
      const stateDir = yield* stateDirectory
      const slow = gate(page("slow", "/last"))
      const names = ["/p1", "/p2", "/p3", "/p4"]
      const site = yield* testSite({
        "/": page("home", ...names, "/slow", "/after"),
        ...Object.fromEntries(names.map((name) => [name, page(name)])),
        "/slow": slow.route,
        "/after": page("after"),
        "/last": page("last")
      })
      const first = yield* stoppable(stateDir)
      const { job_id } = yield* first.client.crawl.createCrawl({ payload: { url: site.url("/"), depth: 3 } })
      yield* until(statusOf(first.client, job_id), (job) => job.completed_pages === 6 && site.hits("/slow") === 1)
      yield* first.stop

      slow.open()
      const second = yield* stoppable(stateDir)
      const job = yield* endOf(second.client, job_id)
      assert.strictEqual(job.status, "completed")
      assert.deepStrictEqual(
        rowsOf(job),
        ["/", ...names, "/slow", "/after", "/last"].map((path) => `${path} completed`)
      )
      assert.deepStrictEqual(["/", ...names, "/after"].map(site.hits), [1, 1, 1, 1, 1, 1])
      assert.strictEqual(site.hits("/slow"), 2)
      assert.isTrue(addsUp(job))
      assert.isTrue(job.results.every((row) => row.data?.markdown?.startsWith("# ")))
    })
  )

  it.live("goes on with an open batch and fetches no finished page again", () =>
    Effect.gen(function* () {
      const stateDir = yield* stateDirectory
      const slow = gate(page("slow"))
      const names = ["/p1", "/p2", "/p3"]
      const site = yield* testSite({
        "/slow": slow.route,
        ...Object.fromEntries(names.map((name) => [name, page(name)]))
      })
      const first = yield* stoppable(stateDir)
      const urls = ["nonsense", ...["/slow", ...names, "/p1", "/slow"].map(site.url)]
      const { job_id } = yield* first.client.batch.createBatch({ payload: { urls } })
      const status = (client: typeof first.client) =>
        client.batch.getBatch({ params: { job_id }, query: { page_size: 50 } })
      yield* until(status(first.client), (job) => job.completed_urls === 4 && site.hits("/slow") === 2)
      yield* first.stop

      slow.open()
      const second = yield* stoppable(stateDir)
      const job = yield* until(status(second.client), ({ status }) => isTerminal(status))
      assert.deepStrictEqual(
        job.results.map((row) => [row.input_index, row.url, row.status]),
        urls.slice(1).map((url, index) => [index + 1, url, "completed"])
      )
      assert.deepStrictEqual(["/p1", "/p2", "/p3", "/slow"].map(site.hits), [2, 1, 1, 4])
      assert.deepStrictEqual(job.invalid_urls, ["nonsense"])
      assert.isTrue(job.results.every((row) => row.data?.markdown?.startsWith("# ")))
    })
  )

  it.live("keeps what has ended, and the order of the list", () =>
    Effect.gen(function* () {
      const stateDir = yield* stateDirectory
      const site = yield* testSite({ "/": page("home", "/a"), "/a": page("a") })
      const first = yield* stoppable(stateDir)
      const one = yield* crawl(first.client, { url: site.url("/") })
      const two = yield* crawl(first.client, { url: site.url("/gone") })
      const three = yield* first.client.extract.createExtraction({
        payload: { url: site.url("/a"), processing_mode: "async" }
      })
      const get = (client: typeof first.client) =>
        "job_id" in three ? client.extract.getExtractionJob({ params: { job_id: three.job_id } }) : Effect.die("no job")
      const extracted = yield* until(get(first.client), (job) => isTerminal(job.status))
      yield* first.stop
      const asked = site.asked().length

      const { client } = yield* stoppable(stateDir)
      assert.deepStrictEqual(yield* statusOf(client, one.job_id), one)
      assert.deepStrictEqual(yield* statusOf(client, two.job_id), two)
      assert.deepStrictEqual(yield* get(client), extracted)
      const { jobs } = yield* client.crawl.listCrawlJobs({ query: {} })
      assert.deepStrictEqual(
        jobs.map((job) => job.job_id),
        [two.job_id, one.job_id]
      )
      assert.strictEqual(site.asked().length, asked)
    })
  )

  it.live("does an open extraction again", () =>
    Effect.gen(function* () {
      const stateDir = yield* stateDirectory
      const slow = gate(page("slow"))
      const site = yield* testSite({ "/": slow.route })
      const first = yield* stoppable(stateDir)
      const accepted = yield* first.client.extract.createExtraction({
        payload: { url: site.url("/"), processing_mode: "async" }
      })
      yield* until(
        Effect.sync(() => site.hits("/")),
        (hits) => hits === 1
      )
      yield* first.stop
      slow.open()
      const { client } = yield* stoppable(stateDir)
      const job_id = "job_id" in accepted ? accepted.job_id : assert.fail("no job")
      const job = yield* until(client.extract.getExtractionJob({ params: { job_id } }), ({ status }) =>
        isTerminal(status)
      )
      assert.strictEqual(job.status, "completed")
    })
  )

  it.live("does not wait for targets that do not answer", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": () => undefined })
      const server = yield* stoppable(yield* stateDirectory)
      yield* server.client.crawl.createCrawl({ payload: { url: site.url("/") } })
      const waiting = yield* Effect.forkChild(
        Effect.exit(server.client.extract.createExtraction({ payload: { url: site.url("/") } }))
      )
      yield* until(
        Effect.sync(() => site.hits("/")),
        (hits) => hits === 2
      )
      const [duration] = yield* Effect.timed(server.stop)
      assert.isBelow(Duration.toMillis(duration), 1500)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(waiting)))
    })
  )

  it.live("is not possible while the state directory is in use", () =>
    Effect.gen(function* () {
      const stateDir = yield* stateDirectory
      const first = yield* stoppable(stateDir)
      const again = serve({ stateDir, apiKeys: [Redacted.make("k")] })
      assert.match((yield* Effect.flip(again)).message, /in use/)
      yield* first.stop
      yield* again
    })
  )
})
