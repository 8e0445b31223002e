import { assert, describe, it } from "@effect/vitest"
import { ScraperApi } from "@sluice/contract"
import { DateTime, Effect, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import {
  crawlHistory,
  type Fault,
  historyOf,
  makeSite,
  Simulator,
  type SimulatorOptions,
  stateOf
} from "../../src/simulator/index.ts"

const simulated = Effect.fnUntraced(function* (options: SimulatorOptions = {}) {
  const simulator = yield* Simulator.make(options)
  const api = yield* HttpApiClient.make(ScraperApi, {
    baseUrl: simulator.baseUrl,
    transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("X-Api-Key", Redacted.value(simulator.apiKey)))
  }).pipe(Effect.provide(FetchHttpClient.layer))
  return { api, ...simulator }
})

/** A raw request; the body as text. */
const raw = (url: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, init)
    return { status: response.status, headers: response.headers, body: await response.text() }
  })

const payload = { url: "https://site.test/" }

describe("Simulator", () => {
  it.live("does the same for the same seed and requests", () =>
    Effect.gen(function* () {
      const session = (seed: number) =>
        Effect.gen(function* () {
          const faults = [{ probability: 0.4, fault: { _tag: "Status", status: 503 } }] as const
          const { baseUrl, charges } = yield* simulated({ seed, faults })
          const init = { headers: { "X-Api-Key": "simulator-key", "content-type": "application/json" } }
          const answers: Array<string> = []
          for (let n = 0; n < 6; n++) {
            const made = yield* raw(`${baseUrl}/v1/crawl`, { ...init, method: "POST", body: JSON.stringify(payload) })
            answers.push(made.body)
            const id = charges.jobs.at(-1)?.jobId
            for (let poll = 0; id !== undefined && poll < 4; poll++) {
              const { body } = yield* raw(`${baseUrl}/v1/crawl/${id}?page_size=50`, init)
              answers.push(body.replace(/"(created_at|completed_at)":("[^"]+"|null)/g, ""))
            }
          }
          return { answers, requests: charges.requests, jobs: charges.jobs }
        })
      const first = yield* session(5)
      assert.deepStrictEqual(yield* session(5), first)
      assert.notDeepEqual(yield* session(6), first)
    })
  )

  it.live("keeps books: requests, jobs and what they cost", () =>
    Effect.gen(function* () {
      const { api, charges } = yield* simulated({ site: makeSite({ pages: 25, failureRate: 0.2 }) })
      const { job_id } = yield* api.crawl.createCrawl({ payload })
      assert.deepStrictEqual(charges.jobs, [{ jobId: job_id, kind: "crawl", url: payload.url, tokens: 0 }])
      const polls = yield* Effect.forEach([0, 1, 2, 3], () =>
        api.crawl.getCrawl({ params: { job_id }, query: { page_size: 50 } })
      )
      assert.deepStrictEqual(
        polls.map(({ status }) => status),
        ["queued", "processing", "processing", "completed"]
      )
      const last = polls.at(-1)!
      assert.strictEqual(last.token_summary.tokens_charged_total, last.completed_pages)
      assert.strictEqual(charges.tokens, last.completed_pages)
      assert.strictEqual(last.completed_pages + last.failed_pages, 25)
      assert.isAbove(last.failed_pages, 0)
      assert.deepStrictEqual([charges.received("POST"), charges.received("GET"), charges.received("DELETE")], [1, 4, 0])
    })
  )

  it.live("shows its books to other processes, apart from the API", () =>
    Effect.gen(function* () {
      const { api, baseUrl, charges } = yield* simulated({ faults: [{ times: 1, fault: { _tag: "Reset" } }] })
      const chargeLedger = `${baseUrl}/simulator/charges`
      assert.deepStrictEqual(JSON.parse((yield* raw(chargeLedger)).body), {
        tokens: 0,
        unauthorized: 0,
        jobs: [],
        requests: []
      })
      yield* Effect.option(api.crawl.createCrawl({ payload }))
      const { job_id } = yield* api.crawl.createCrawl({ payload })
      for (let poll = 0; poll < 4; poll++) yield* api.crawl.getCrawl({ params: { job_id }, query: {} })
      const { body } = yield* raw(chargeLedger)
      assert.deepStrictEqual(JSON.parse(body), JSON.parse(JSON.stringify(charges)))
      assert.deepInclude(JSON.parse(body), { tokens: 25 })
      assert.deepStrictEqual(
        charges.requests.map(({ fault, method }) => [method, fault]),
        [["POST", "Reset"], ["POST", null], ...Array.from({ length: 4 }, () => ["GET", null])]
      )
    })
  )

  it.live("lets in no request without the key, but for its health", () =>
    Effect.gen(function* () {
      const { baseUrl, charges } = yield* simulated({ apiKey: "right" })
      const init = { method: "POST", body: JSON.stringify(payload) }
      const refused = yield* raw(`${baseUrl}/v1/crawl`, { ...init, headers: { "X-Api-Key": "wrong" } })
      assert.strictEqual(refused.status, 401)
      assert.deepInclude(JSON.parse(refused.body), { code: "UNAUTHORIZED" })
      assert.strictEqual((yield* raw(`${baseUrl}/v1/crawl`, init)).status, 401)
      assert.deepStrictEqual([charges.unauthorized, charges.jobs.length], [2, 0])
      assert.strictEqual((yield* raw(`${baseUrl}/health`)).status, 200)
    })
  )

  it.live("names the fields of a request that does not fit the contract", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* simulated()
      const headers = { "X-Api-Key": "simulator-key", "content-type": "application/json" }
      const answer = yield* raw(`${baseUrl}/v1/crawl`, { method: "POST", headers, body: '{"depth": 11}' })
      assert.strictEqual(answer.status, 422)
      const locations = JSON.parse(answer.body).detail.map((issue: { loc: unknown }) => issue.loc)
      assert.deepInclude(locations, ["body", "url"])
      const slice = yield* raw(`${baseUrl}/v1/crawl/11eccf9d-7ffd-4d96-8813-b8c116199602?page_size=51`, { headers })
      assert.strictEqual(slice.status, 422)
    })
  )

  it.live("lists jobs, the newest first, after a lag, within dates", () =>
    Effect.gen(function* () {
      const { api } = yield* simulated({ listLag: 2 })
      const before = yield* DateTime.now
      const first = yield* api.crawl.createCrawl({ payload })
      const second = yield* api.crawl.createCrawl({ payload: { url: "https://other.test/", limit: 3 } })
      const list = api.crawl.listCrawlJobs({ query: { start_date: before } })
      assert.deepStrictEqual((yield* list).jobs, [])
      assert.deepStrictEqual((yield* list).jobs, [])
      const { jobs, page, page_count, page_size } = yield* list
      assert.deepStrictEqual(
        jobs.map(({ job_id }) => job_id),
        [second.job_id, first.job_id]
      )
      assert.deepStrictEqual([page, page_size, page_count], [1, 10, 1])
      assert.notProperty(jobs[0]?.config ?? {}, "limit")
      const earlier = yield* api.crawl.listCrawlJobs({ query: { end_date: DateTime.subtract(before, { hours: 1 }) } })
      assert.deepStrictEqual(earlier.jobs, [])
    })
  )

  it.live("answers 402 when the balance is charged or reserved", () =>
    Effect.gen(function* () {
      const { api } = yield* simulated({ balance: 10 })
      yield* api.crawl.createCrawl({ payload })
      const error = yield* Effect.flip(api.crawl.createCrawl({ payload }))
      assert.strictEqual(error instanceof Error && error.name, "PaymentRequired")
    })
  )

  it.live("cancels a running job and refuses to cancel it again", () =>
    Effect.gen(function* () {
      const { api, charges } = yield* simulated({ crawl: () => crawlHistory(makeSite({ pages: 60 }), { perPoll: 20 }) })
      const { job_id } = yield* api.crawl.createCrawl({ payload })
      const poll = api.crawl.getCrawl({ params: { job_id }, query: { page_size: 50 } })
      yield* poll
      yield* poll
      const cancelled = yield* api.crawl.cancelCrawl({ params: { job_id } })
      assert.deepInclude(cancelled, { status: "cancelled", in_flight_pages: 40 })
      const after = yield* poll
      assert.deepInclude(after, { status: "cancelled", completed_pages: 20, cancelled_pages: 40 })
      assert.strictEqual(after.token_summary.tokens_reserved, 0)
      assert.strictEqual(after.results.filter(({ status }) => status === "cancelled").length, 30)
      assert.strictEqual(charges.tokens, 20)
      const again = yield* Effect.flip(api.crawl.cancelCrawl({ params: { job_id } }))
      assert.strictEqual(again instanceof Error && again.name, "Conflict")
    })
  )

  it.live("does not know a job while its history does not", () =>
    Effect.gen(function* () {
      const state = stateOf("completed", [])
      const { api } = yield* simulated({ crawl: () => ({ at: (poll) => (poll === 1 ? state : undefined) }) })
      const { job_id } = yield* api.crawl.createCrawl({ payload })
      const poll = api.crawl.getCrawl({ params: { job_id }, query: {} })
      const seen = yield* Effect.forEach([0, 1, 2], () => Effect.option(poll))
      assert.deepStrictEqual(
        seen.map(({ _tag }) => _tag),
        ["None", "Some", "None"]
      )
    })
  )

  describe("faults", () => {
    const faulty = Effect.fnUntraced(function* (fault: Fault) {
      const { baseUrl, charges } = yield* simulated({ faults: [{ path: "/v1/crawl", fault }] })
      const headers = { "X-Api-Key": "simulator-key", "content-type": "application/json" }
      const call = fetch(`${baseUrl}/v1/crawl`, { method: "POST", headers, body: JSON.stringify(payload) })
      const answer = yield* Effect.promise(() =>
        call
          .then(
            async (response) => ({ status: response.status, headers: response.headers, body: await response.text() }),
            (cause: unknown) => cause
          )
          .catch((cause: unknown) => cause)
      )
      return { answer, charges }
    })

    it.live("of a status have each of the bodies", () =>
      Effect.gen(function* () {
        const bodies = {
          envelope: '"code"',
          validation: '"detail"',
          search: '"error"',
          html: "<html>",
          empty: ""
        } as const
        for (const body of ["envelope", "validation", "search", "html", "empty"] as const) {
          const { answer, charges } = yield* faulty({ _tag: "Status", status: 429, body })
          assert.isNotTrue(answer instanceof Error)
          assert.deepInclude(answer, { status: 429 })
          assert.include(JSON.stringify(answer), JSON.stringify(bodies[body]).slice(1, -1))
          assert.deepStrictEqual(charges.jobs, [])
          assert.strictEqual(charges.requests[0]?.fault, "Status")
        }
      })
    )

    it.live("of a status say when to come back, in both forms", () =>
      Effect.gen(function* () {
        const wait = (as: "seconds" | "date") =>
          faulty({ _tag: "Status", status: 503, retryAfter: { as, seconds: 60 } }).pipe(
            Effect.map(({ answer }) => (answer as { headers: Headers }).headers.get("retry-after") ?? "")
          )
        assert.strictEqual(yield* wait("seconds"), "60")
        const ahead = Date.parse(yield* wait("date")) - (yield* DateTime.now).epochMilliseconds
        assert.isTrue(ahead > 50_000 && ahead <= 60_000, `${ahead}`)
      })
    )

    it.live("of the connection break it, before or after the handler has run", () =>
      Effect.gen(function* () {
        for (const [fault, jobs] of [
          [{ _tag: "Reset" }, 0],
          [{ _tag: "Lost" }, 1],
          [{ _tag: "Truncated" }, 1]
        ] as const) {
          const { answer, charges } = yield* faulty(fault)
          assert.instanceOf(answer, Error)
          assert.strictEqual(charges.jobs.length, jobs, fault._tag)
        }
      })
    )

    it.live("of the answer replace or delay it", () =>
      Effect.gen(function* () {
        const html = yield* faulty({ _tag: "Html" })
        assert.deepInclude(html.answer, { status: 200 })
        const wrong = yield* faulty({ _tag: "WrongTypes" })
        assert.deepInclude(wrong.answer, { status: 202, body: '{"job_id":7,"status":42,"results":"none"}' })
        const slow = yield* faulty({ _tag: "Slow", millis: 1 })
        assert.deepInclude(slow.answer, { status: 202 })
        const dripping = yield* faulty({ _tag: "Dripping", pieces: 5, millis: 1 })
        const huge = yield* faulty({ _tag: "Huge", bytes: 300_000 })
        for (const { answer, charges } of [dripping, huge]) {
          const { body, headers, status } = answer as { body: string; headers: Headers; status: number }
          assert.deepStrictEqual([status, headers.get("content-type")], [202, "application/json"])
          assert.deepInclude(JSON.parse(body), { job_id: charges.jobs[0]?.jobId, status: "queued" })
        }
        assert.isAbove((huge.answer as { body: string }).body.length, 300_000)
        assert.deepStrictEqual(
          [html, wrong, slow, dripping, huge].map(({ charges }) => charges.jobs.length),
          [0, 1, 1, 1, 1]
        )
      })
    )

    it.live("come as planned: by number, at most so often, added and cleared on the way", () =>
      Effect.gen(function* () {
        const fault = { _tag: "Status", status: 500 } as const
        const { baseUrl, faults } = yield* simulated({ faults: [{ path: "/health", nth: [2, 4], fault }] })
        const statuses = (times: number) =>
          Effect.forEach(Array.from({ length: times }), () =>
            Effect.map(raw(`${baseUrl}/health`), ({ status }) => status)
          )
        assert.deepStrictEqual(yield* statuses(5), [200, 500, 200, 500, 200])
        faults.add({ times: 2, fault: { ...fault, status: 502 } })
        assert.deepStrictEqual(yield* statuses(3), [502, 502, 200])
        faults.add({ fault })
        faults.clear()
        assert.deepStrictEqual(yield* statuses(1), [200])
      })
    )
  })

  it.live("plays a history state by state and stays at the last", () =>
    Effect.gen(function* () {
      const page = { url: "https://site.test/", parentUrl: null, depth: 1 }
      const history = historyOf(
        stateOf("processing", [{ ...page, status: "processing" }]),
        stateOf("completed", [{ ...page, status: "failed", errorCode: "GONE", errorMessage: "It is gone" }])
      )
      const { api } = yield* simulated({ crawl: () => history })
      const { job_id } = yield* api.crawl.createCrawl({ payload })
      const polls = yield* Effect.forEach([0, 1, 2], () => api.crawl.getCrawl({ params: { job_id }, query: {} }))
      assert.deepStrictEqual(
        polls.map(({ status }) => status),
        ["processing", "completed", "completed"]
      )
      assert.deepInclude(polls[2]?.results[0], { error_code: "GONE", error_message: "It is gone", data: null })
    })
  )
})
