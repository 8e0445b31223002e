import { assert, describe, it } from "@effect/vitest"
import { type BatchRequest, type BatchStatus, isTerminal, type JobId } from "@sluice/contract"
import { Effect } from "effect"
import { type Client, clientOf, keys, raw, testScraper, testServer, until } from "./TestScraper.ts"
import { gate, page, redirect, testSite } from "./TestSite.ts"

const statusOf = (client: Client, job_id: JobId, query: { page?: number; page_size?: number } = { page_size: 50 }) =>
  client.batch.getBatch({ params: { job_id }, query })

const endOf = (client: Client, id: JobId) =>
  until(statusOf(client, id), (job) => isTerminal(job.status) && job.pending_urls === 0)

const batch = Effect.fnUntraced(function* (client: Client, payload: BatchRequest) {
  const accepted = yield* client.batch.createBatch({ payload })
  return yield* endOf(client, accepted.job_id)
})

/** Place, path and end of each row. */
const rowsOf = (job: BatchStatus): ReadonlyArray<string> =>
  job.results.map((row) => `${row.input_index} ${new URL(row.url).pathname} ${row.error_code ?? row.status}`)

const addsUp = (job: BatchStatus): boolean =>
  job.completed_urls + job.failed_urls + job.cancelled_urls + job.pending_urls === job.total_urls &&
  job.token_summary.tokens_charged_total === job.completed_urls &&
  job.token_summary.tokens_reserved === job.pending_urls

describe("batch", () => {
  it.live("extracts each URL of the list, duplicates as often as they are named, and follows no link", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/a": page("a", "/b"), "/b": page("b"), "/moved": redirect("/a") })
      const client = yield* testScraper()
      const urls = ["/a", "/gone", "/a", "/moved", "/b"].map(site.url)
      const job = yield* batch(client, { urls })
      assert.deepInclude(job, {
        status: "completed",
        total_urls: 5,
        completed_urls: 4,
        failed_urls: 1,
        pending_urls: 0
      })
      assert.deepStrictEqual(rowsOf(job), [
        "0 /a completed",
        "1 /gone HTTP_ERROR",
        "2 /a completed",
        "3 /moved completed",
        "4 /b completed"
      ])
      assert.isTrue(addsUp(job))
      assert.strictEqual(site.hits("/a"), 3)
      assert.include(job.results[0]?.data?.markdown ?? "", "# a")
      assert.deepInclude(job.results[0]?.data, { html: null, links: null })
      assert.deepInclude(job.results[0]?.metadata, { http_status: 200, retry_count: 0, tokens_charged: 1 })
      assert.isNull(job.results[1]?.data)
      assert.deepInclude(job.results[1]?.metadata, { http_status: 404, tokens_charged: 0 })
      assert.deepInclude(job.batch_config, { formats: ["markdown"], render_js: false, headers: null })
    })
  )

  it.live("leaves out invalid URLs and names them, or refuses the whole request", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/a": page("a"), "/b": page("b") })
      const baseUrl = yield* testServer()
      const client = yield* clientOf(baseUrl)
      const urls = ["not a url", site.url("/a"), "ftp://a.example/", site.url("/b")]
      const accepted = yield* client.batch.createBatch({ payload: { urls } })
      assert.deepInclude(accepted, { accepted_urls: 2, invalid_urls: ["not a url", "ftp://a.example/"] })
      const job = yield* endOf(client, accepted.job_id)
      assert.deepStrictEqual(rowsOf(job), ["1 /a completed", "3 /b completed"])
      assert.deepStrictEqual(job.invalid_urls, ["not a url", "ftp://a.example/"])
      assert.strictEqual(job.total_urls, 2)

      const refuse = (body: unknown) =>
        raw(`${baseUrl}/v1/batch`, {
          method: "POST",
          headers: { "x-api-key": keys[0], "content-type": "application/json" },
          body: JSON.stringify(body)
        })
      const whole = yield* refuse({ urls, ignore_invalid_urls: false })
      assert.strictEqual(whole.status, 422)
      const places = Object(whole.body).detail.map((issue: { loc: ReadonlyArray<unknown> }) => issue.loc)
      assert.deepStrictEqual(places, [
        ["body", "urls", 0],
        ["body", "urls", 2]
      ])
      assert.strictEqual((yield* refuse({ urls: ["nothing"] })).status, 422)
      assert.strictEqual((yield* refuse({ urls: [] })).status, 422)
      assert.strictEqual((yield* client.batch.listBatchJobs({ query: {} })).jobs.length, 1)
    })
  )

  it.live("is refused beyond the plan's size, and its jobs count as open ones", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const site = yield* testSite({ "/": slow.route })
      const client = yield* testScraper({ maxBatchUrls: 2, maxOpenJobsPerKey: 1, chromium: "none" })
      const urls = (count: number) => Array.from({ length: count }, () => site.url("/"))
      const large = yield* Effect.flip(client.batch.createBatch({ payload: { urls: urls(3) } }))
      assert.deepInclude(large, {
        code: "VALIDATION_ERROR",
        message: "Batch size limit exceeded: requested 3, plan allows at most 2"
      })
      const rendered = client.batch.createBatch({ payload: { urls: urls(1), render_js: true } })
      assert.deepInclude(yield* Effect.flip(rendered), { code: "VALIDATION_ERROR" })
      const { job_id } = yield* client.batch.createBatch({ payload: { urls: urls(2) } })
      const second = yield* Effect.flip(client.batch.createBatch({ payload: { urls: urls(1) } }))
      assert.deepInclude(second, { code: "RATE_LIMITED" })
      slow.open()
      assert.strictEqual((yield* endOf(client, job_id)).completed_urls, 2)
    })
  )

  it.live("ends pages as they come, so that a slow one holds up no other", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const names = Array.from({ length: 6 }, (_, index) => `/p${index}`)
      const site = yield* testSite({
        "/slow": slow.route,
        ...Object.fromEntries(names.map((name) => [name, page(name)]))
      })
      const client = yield* testScraper({ pageConcurrency: 2 })
      const { job_id } = yield* client.batch.createBatch({ payload: { urls: ["/slow", ...names].map(site.url) } })
      const waiting = yield* until(statusOf(client, job_id), (job) => job.completed_urls === 6)
      assert.deepStrictEqual(
        waiting.results.map((row) => row.status),
        ["processing", ...names.map(() => "completed")]
      )
      assert.isTrue(addsUp(waiting))
      assert.strictEqual(waiting.pending_urls, 1)
      slow.open()
      assert.deepStrictEqual(rowsOf(yield* endOf(client, job_id)), [
        "0 /slow completed",
        ...names.map((name, index) => `${index + 1} ${name} completed`)
      ])
    })
  )

  it.live("sends the caller's headers to the targets, but its credentials not to where they redirect", () =>
    Effect.gen(function* () {
      const other = yield* testSite({ "/": page("other") })
      const site = yield* testSite({ "/": page("home"), "/away": redirect(other.url("/")) })
      const client = yield* testScraper()
      const headers = { Authorization: "Bearer canary", "X-Tenant": "one" }
      const job = yield* batch(client, { urls: [site.url("/"), site.url("/away")], headers })
      assert.strictEqual(job.completed_urls, 2)
      assert.deepInclude(site.lastHeaders("/"), { authorization: "Bearer canary", "x-tenant": "one" })
      assert.strictEqual(other.lastHeaders("/")?.["x-tenant"], "one")
      assert.isUndefined(other.lastHeaders("/")?.authorization)
    })
  )

  it.live("cancels once: what waits is cancelled, what is in work drains", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const site = yield* testSite({ "/s": slow.route, "/w": page("waits") })
      const client = yield* testScraper({ pageConcurrency: 2 })
      const urls = ["/s", "/s", "/w", "/w"].map(site.url)
      const { job_id } = yield* client.batch.createBatch({ payload: { urls } })
      yield* until(
        Effect.sync(() => site.hits("/s")),
        (hits) => hits === 2
      )
      assert.deepStrictEqual(yield* client.batch.cancelBatch({ params: { job_id } }), {
        job_id,
        status: "cancelled",
        status_url: `/v1/batch/${job_id}`,
        in_flight_urls: 2
      })
      assert.deepInclude(yield* statusOf(client, job_id), { status: "cancelled", pending_urls: 2, cancelled_urls: 2 })
      assert.deepInclude(yield* Effect.flip(client.batch.cancelBatch({ params: { job_id } })), {
        code: "INVALID_STATE",
        message: `Batch job ${job_id} is already cancelled and cannot be cancelled`
      })
      slow.open()
      const end = yield* endOf(client, job_id)
      assert.deepInclude(end, { status: "cancelled", completed_urls: 2, cancelled_urls: 2 })
      assert.isTrue(addsUp(end))
      assert.strictEqual(site.hits("/w"), 0)
    })
  )

  it.live("lists newest first, filtered, and only to the key that asked", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const baseUrl = yield* testServer()
      const client = yield* clientOf(baseUrl)
      const stranger = yield* clientOf(baseUrl, keys[1])
      const first = yield* batch(client, { urls: [site.url("/")] })
      const second = yield* batch(client, { urls: [site.url("/"), site.url("/gone")], formats: ["html"] })
      const list = yield* client.batch.listBatchJobs({ query: {} })
      assert.deepStrictEqual(
        list.jobs.map((job) => [job.job_id, job.accepted_urls, job.completed_urls, job.failed_urls]),
        [
          [second.job_id, 2, 1, 1],
          [first.job_id, 1, 1, 0]
        ]
      )
      assert.deepStrictEqual(list.jobs[0]?.config.formats, ["html"])
      assert.strictEqual(second.results[0]?.data?.html, page("home"))
      const query = (query: Parameters<typeof client.batch.listBatchJobs>[0]["query"]) =>
        Effect.map(client.batch.listBatchJobs({ query }), ({ jobs }) => jobs.map((job) => job.job_id))
      assert.deepStrictEqual(yield* query({ status: "failed" }), [])
      assert.deepStrictEqual(yield* query({ page: 2, page_size: 1 }), [first.job_id])
      assert.deepStrictEqual(yield* query({ start_date: second.created_at, end_date: second.created_at }), [
        second.job_id
      ])
      assert.deepStrictEqual((yield* stranger.batch.listBatchJobs({ query: {} })).jobs, [])
      assert.deepInclude(yield* Effect.flip(statusOf(stranger, first.job_id)), { code: "NOT_FOUND" })
      const slice = yield* statusOf(client, second.job_id, { page: 2, page_size: 1 })
      assert.deepStrictEqual(rowsOf(slice), ["1 /gone HTTP_ERROR"])
    })
  )
})
