import { assert, describe, it } from "@effect/vitest"
import { DateTime, Schema } from "effect"
import * as Contract from "../src/index.ts"
import { type Json, type Shape, shapeOf } from "./JsonShape.ts"
import { examples, reference } from "./reference.ts"

/** The contract's schema of each name in the manifest. */
const schemas = {
  BatchAccepted: Contract.BatchAccepted,
  BatchCancelled: Contract.BatchCancelled,
  BatchJobList: Contract.BatchJobList,
  BatchRequest: Contract.BatchRequest,
  BatchStatus: Contract.BatchStatus,
  CrawlAccepted: Contract.CrawlAccepted,
  CrawlCancelled: Contract.CrawlCancelled,
  CrawlJobList: Contract.CrawlJobList,
  CrawlRequest: Contract.CrawlRequest,
  CrawlStatus: Contract.CrawlStatus,
  ErrorResponse: Contract.ErrorResponse,
  ExtractAccepted: Contract.ExtractAccepted,
  ExtractJob: Contract.ExtractJob,
  ExtractJobList: Contract.ExtractJobList,
  ExtractRequest: Contract.ExtractRequest,
  ExtractSyncResponse: Contract.ExtractSyncResponse,
  HTTPValidationError: Contract.HTTPValidationError,
  Health: Contract.Health,
  MapJob: Contract.MapJob,
  MapJobList: Contract.MapJobList,
  MapRequest: Contract.MapRequest,
  MapResponse: Contract.MapResponse,
  SearchErrorResponse: Contract.SearchErrorResponse,
  SearchJobList: Contract.SearchJobList,
  SearchRequest: Contract.SearchRequest,
  SearchResponse: Contract.SearchResponse,
  Statistics: Contract.Statistics,
  Webhook: Contract.Webhook,
  WebhookCreateRequest: Contract.WebhookCreateRequest,
  WebhookCreated: Contract.WebhookCreated,
  WebhookDeliveryList: Contract.WebhookDeliveryList,
  WebhookEnvelope: Contract.WebhookEnvelope,
  WebhookList: Contract.WebhookList,
  WebhookSecret: Contract.WebhookSecret,
  WebhookUpdateRequest: Contract.WebhookUpdateRequest
} satisfies { readonly [name: string]: Schema.Codec<unknown, unknown> }

const requests = ["BatchRequest", "CrawlRequest", "ExtractRequest", "MapRequest", "SearchRequest"] as const

const schemaOf = (name: string): Schema.Codec<unknown, unknown> => {
  const schema = Object.entries<Schema.Codec<unknown, unknown>>(schemas).find(([key]) => key === name)?.[1]
  if (schema === undefined) throw new Error(`the contract has no ${name}`)
  return schema
}

const roundTrip = (name: string, body: unknown): unknown => {
  const codec = Schema.toCodecJson(schemaOf(name))
  return Schema.encodeUnknownSync(codec)(Schema.decodeUnknownSync(codec)(body))
}

const isRecord = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** Rebuilds a body from the leaves up; `f` sees each value with what the reference says of it. */
const rebuild = (shape: Shape | undefined, value: unknown, f: (shape: Shape, value: unknown) => unknown): unknown => {
  if (shape === undefined) return value
  if (Array.isArray(value))
    return f(
      shape,
      value.map((item) => rebuild(shape.items, item, f))
    )
  if (!isRecord(value)) return f(shape, value)
  return f(
    shape,
    Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, rebuild(shape.properties[key] ?? shape.values, inner, f)])
    )
  )
}

const isInstant = (shape: Shape, value: unknown): value is string =>
  shape.facets.format === "date-time" && typeof value === "string"

/** The same body with each instant in one spelling, to the millisecond the contract keeps. */
const canonical = (shape: Shape, body: unknown) =>
  rebuild(shape, body, (shape, value) => (isInstant(shape, value) ? new Date(value).toISOString() : value))

const shapeOfName = (name: string) => shapeOf(reference, { $ref: `#/components/schemas/${name}` })

describe("every example body", () => {
  for (const { body, file, schema } of examples) {
    const shape = shapeOfName(schema)

    it(`${file} decodes as ${schema} and encodes to itself`, () => {
      assert.deepStrictEqual(canonical(shape, roundTrip(schema, body)), canonical(shape, body))
    })

    // A stream of choices, used over and over, decides what happens at each place of the body.
    const Choices = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 23 }))).check(
      Schema.isMinLength(8),
      Schema.isMaxLength(64)
    )

    it.prop(
      `${file} is read whatever unknown members, missing options and fraction digits it has`,
      { choices: Choices },
      ({ choices }) => {
        let at = 0
        const choose = (n: number) => choices[at++ % choices.length]! % n
        const instant = (value: string) => `${value.slice(0, 19)}${["", ".123", ".123456", ".123456789"][choose(4)]}Z`
        /** What arrives, and what of it the contract should keep. */
        const [sent, kept] = [false, true].map((keep) => {
          at = 0
          return rebuild(shape, body, (shape, value) => {
            if (isInstant(shape, value)) return instant(value)
            if (!isRecord(value) || Object.keys(shape.properties).length === 0) return value
            const members = Object.entries(value).filter(
              ([key]) => shape.required.includes(key) || !(key in shape.properties) || choose(2) === 0
            )
            const extra = [[], {}, null, "text", 1.5, { nested: [true] }][choose(6)]
            const added = choose(2) === 0 ? [[`unknown_${choose(3)}`, extra] as const] : []
            return Object.fromEntries(keep ? members : [...added, ...members])
          })
        })
        assert.deepStrictEqual(canonical(shape, roundTrip(schema, sent)), canonical(shape, kept))
      },
      { arbitrary: { runs: 40, seed: 20260101 } }
    )
  }

  it("covers every schema of the map", () => {
    assert.deepStrictEqual([...new Set(examples.map(({ schema }) => schema))].sort(), Object.keys(schemas).sort())
  })
})

describe("writing", () => {
  for (const name of requests) {
    it.prop(
      `${name} is written exactly: nothing dropped, nothing added`,
      { request: schemaOf(name) },
      ({ request }) => {
        assert.deepStrictEqual(Schema.encodeUnknownSync(schemaOf(name))(request), request)
        assert.deepStrictEqual(roundTrip(name, request), request)
      },
      { arbitrary: { runs: 100, seed: 20260101 } }
    )
  }

  it("spells an instant in RFC 3339 with Z", () => {
    const encode = Schema.encodeSync(Contract.Timestamp)
    assert.strictEqual(encode(DateTime.makeUnsafe("2026-01-02T03:04:05.678901Z")), "2026-01-02T03:04:05.678Z")
  })
})

describe("types", () => {
  it("brands job ids", () => {
    const { job_id } = Schema.decodeUnknownSync(Contract.CrawlStatus)(
      examples.find(({ file }) => file === "crawl-status.json")?.body
    )
    const id: Contract.JobId = job_id
    // @ts-expect-error a plain string is no job id
    const plain: Contract.JobId = "job"
    assert.notStrictEqual<string>(id, plain)
  })

  it("knows which states are terminal", () => {
    assert.deepStrictEqual(Contract.JobStatus.literals.filter(Contract.isTerminal), [
      "completed",
      "failed",
      "cancelled"
    ])
  })
})
