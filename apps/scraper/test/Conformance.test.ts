import { assert, describe, it } from "@effect/vitest"
import { HTTPValidationError } from "@sluice/contract"
import { dailySample } from "@sluice/testkit"
import { Effect, Schema } from "effect"
import {
  type Answer,
  asDocumented,
  bodyOf,
  hasId,
  limitedTo,
  make,
  pathOf,
  tooOften,
  unknownId,
  type Way,
  withoutState,
  world
} from "./ConformanceWorld.ts"
import { type Operation, operations, samplesOf, schemaNamed } from "./OpenApiDocument.ts"
import { testReceiver } from "./TestReceiver.ts"
import { until } from "./TestScraper.ts"

interface Difference {
  /** The id of an operation. */
  readonly operation: string
  readonly status: string
  readonly why: string
}

/** Every answer of the reference document that this server deliberately never gives. */
const deliberate: ReadonlyArray<Difference> = [
  { operation: "getHealth", status: "4XX", why: "A call without key, body and parameters has nothing to refuse." },
  { operation: "createExtraction", status: "400", why: "What is wrong with a body is a 422, which is listed too." },
  { operation: "mapUrls", status: "400", why: "The same." },
  { operation: "getExtractionJob", status: "422", why: "Its id is typed as any string: there is none to refuse." },
  { operation: "search", status: "200", why: "There is no search behind this server: 501." },
  { operation: "search", status: "402", why: "The same: it costs nothing to be told so." },
  { operation: "search", status: "502", why: "The same: no engine can block." },
  { operation: "listSearchJobs", status: "200", why: "The same." },
  { operation: "getSearchJob", status: "200", why: "The same." },
  { operation: "getSearchJob", status: "404", why: "The same." }
]

const withoutKey: Way = (operation, on) =>
  on.ask(operation.method, pathOf(operation, unknownId), bodyOf(operation, on), {})

const aboutNothing: Way = (operation, on) =>
  on.ask(operation.method, pathOf(operation, unknownId), bodyOf(operation, on))

const cancelledTwice: Way = (operation, on) =>
  Effect.gen(function* () {
    const path = pathOf(operation, yield* make(operation, on))
    yield* on.ask("DELETE", path)
    return yield* on.ask("DELETE", path)
  })

const malformed: Way = (operation, on) => {
  if (operation.request !== undefined) return asDocumented(wrongBody(operation))(operation, on)
  if (hasId(operation)) return on.ask(operation.method, pathOf(operation, "no-uuid"))
  const bad = operation.query.map((parameter) => `${parameter.name}=${samplesOf(parameter).bad}`)
  return on.ask(operation.method, `${operation.path}?${bad.join("&")}`)
}

const wrongBody = (operation: Operation) =>
  Object.fromEntries(Object.keys(operation.request?.properties ?? {}).map((name) => [name, 0]))

const ways: Readonly<Record<string, Way>> = {
  "200": asDocumented(),
  "201": asDocumented(),
  "202": asDocumented(),
  "204": asDocumented(),
  "401": withoutKey,
  "402": limitedTo({ tokenBalance: 0 }),
  "404": aboutNothing,
  "408": limitedTo({ mapTimeoutMs: 50 }, "/slow"),
  "409": cancelledTwice,
  "422": malformed,
  "429": limitedTo({ maxOpenJobsPerKey: 0 }),
  // What is not listed: a body that is too large where throttling is, else throttling.
  default: (operation, on) =>
    operation.statuses.includes("429") ? limitedTo({ maxRequestBytes: 1 })(operation, on) : tooOften(operation, on)
}

/** Where an operation has a way of its own. */
const ownWays: Readonly<Record<string, Way>> = {
  "getHealth 503": withoutState,
  "createExtraction 202": asDocumented({ processing_mode: "async" }),
  "search 429": tooOften,
  "search default": asDocumented(),
  "listSearchJobs default": asDocumented(),
  "getSearchJob default": asDocumented()
}

const isDeliberate = (operation: Operation, status: string) =>
  deliberate.some((each) => each.operation === operation.id && each.status === status)

/** Asserts that an answer is one that the document has under a status. */
const conforms = (operation: Operation, status: string, answer: Answer) => {
  const place = `${operation.id} ${status}`
  if (status === "default") assert.notInclude(operation.statuses, String(answer.status), place)
  else assert.strictEqual(String(answer.status), status, `${place}: ${JSON.stringify(answer.body)}`)
  const validate = operation.answer(status)
  if (validate === undefined) return assert.isUndefined(answer.body, place)
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/, place)
  assert.strictEqual(validate(answer.body), "", place)
}

const isDetail = Schema.is(HTTPValidationError)

describe("the running server", () => {
  for (const operation of operations) {
    it.live(`answers ${operation.id} as the reference document says, success and errors`, () =>
      Effect.gen(function* () {
        const on = yield* world
        for (const status of operation.statuses) {
          if (isDeliberate(operation, status)) continue
          const way = ownWays[`${operation.id} ${status}`] ?? ways[status]
          if (way === undefined) return assert.fail(`no way to ${operation.id} ${status}`)
          conforms(operation, status, yield* way(operation, on))
        }
      })
    )
  }

  it("is held against schemas that refuse what they should", () => {
    const row = { job_id: unknownId, status: "queued", status_url: "/" }
    const validate = schemaNamed("CrawlAccepted")
    assert.strictEqual(validate(row), "")
    for (const wrong of [
      { job_id: "no-uuid" },
      { status: "lost" },
      { estimated_pages: -1 },
      { status_url: undefined }
    ]) {
      assert.notStrictEqual(validate(JSON.parse(JSON.stringify({ ...row, ...wrong }))), "")
    }
  })

  it("differs from it only where the table says so", () => {
    const listed = operations.flatMap(({ id, statuses }) => statuses.map((status) => `${id} ${status}`))
    assert.includeMembers(
      listed,
      deliberate.map(({ operation, status }) => `${operation} ${status}`)
    )
    assert.lengthOf(operations, 27)
  })

  for (const operation of operations.filter(({ query }) => query.length > 0)) {
    it.live(`takes each query parameter of ${operation.id} by its schema`, () =>
      Effect.gen(function* () {
        const on = yield* world
        const path = pathOf(operation, hasId(operation) ? yield* make(operation, on) : "")
        const standard = yield* on.ask(operation.method, path)
        for (const parameter of operation.query) {
          const { bad, good } = samplesOf(parameter)
          const ask = (value: string) =>
            on.ask(operation.method, `${path}?${parameter.name}=${encodeURIComponent(value)}`)
          const taken = yield* ask(good)
          assert.strictEqual(taken.status, standard.status, `${parameter.name}=${good}`)
          if (bad === undefined) continue
          const refused = yield* ask(bad)
          conforms(operation, "422", refused)
          assert.isTrue(isDetail(refused.body), `${parameter.name}=${bad}`)
        }
      })
    )
  }

  const all = [null, 0, -1, 1, 11, 1.5, 10_001, "", "x", "html", true, [], ["x"], ["html"], [1], {}, { type: "mix" }]
  // The soak takes all of them, the normal suite every other one: the others the next day.
  const values = dailySample(all, 2)
  for (const operation of operations.filter(({ request }) => request !== undefined)) {
    it.live(`takes each member of the body of ${operation.id} by its schema`, () =>
      Effect.gen(function* () {
        const on = yield* world
        const { request } = operation
        const body = bodyOf(operation, on)
        if (request === undefined || body === undefined) return assert.fail("no body")
        const path = pathOf(operation, hasId(operation) ? yield* make(operation, on) : "")
        assert.strictEqual(request.validate(body), "")
        let refusals = 0
        for (const name of Object.keys(request.properties)) {
          // Absent, and every value in turn.
          const { [name]: _, ...without } = body
          for (const changed of [without, ...values.map((value) => ({ ...body, [name]: value }))]) {
            const invalid = request.validate(changed)
            const answer = yield* on.ask(operation.method, path, changed)
            const told = `${JSON.stringify(changed)}: ${invalid || "valid"}, answered ${JSON.stringify(answer.body)}`
            // What the schema allows may still be refused, but not as not fitting it.
            if (invalid === "") assert.isFalse(isDetail(answer.body) && !isListOfUrls(operation, name), told)
            else assert.strictEqual(answer.status, 422, told)
            if (answer.status === 422) {
              refusals++
              conforms(operation, "422", answer)
            }
          }
        }
        assert.isAbove(refusals, 0)
      })
    )
  }

  it.live("sends webhooks as the reference document says", () =>
    Effect.gen(function* () {
      const { ask, site } = yield* world
      const receiver = yield* testReceiver
      const validate = schemaNamed("WebhookEnvelope")
      for (const event_type of ["extract_completed", "batch_completed", "crawl_completed"]) {
        yield* ask("POST", "/v1/webhooks", { url: receiver.url, event_type })
      }
      yield* ask("POST", "/v1/extract", { url: site.url("/"), processing_mode: "async" })
      yield* ask("POST", "/v1/batch", { urls: [site.url("/")] })
      yield* ask("POST", "/v1/crawl", { url: site.url("/") })
      const received = yield* until(
        Effect.sync(() => receiver.received),
        ({ length }) => length === 3
      )
      for (const { body, headers } of received) {
        const envelope = JSON.parse(body)
        assert.strictEqual(validate(envelope), "")
        assert.deepInclude(headers, {
          "user-agent": "scraper-api-webhook/1.0",
          "content-type": "application/json",
          "x-webhook-delivery-id": envelope.delivery_id,
          "x-webhook-event": envelope.event
        })
        assert.isString(headers["x-webhook-signature"])
        if (envelope.event === "extract_completed") {
          assert.strictEqual(schemaNamed("ExtractJob")(envelope.data), "")
        }
      }
    })
  )
})

/** A batch of nothing but invalid URLs is refused with their places, which no schema can tell. */
const isListOfUrls = (operation: Operation, member: string) => operation.id === "createBatch" && member === "urls"
