import { assert, describe, it } from "@effect/vitest"
import { BatchResult, CrawlResult } from "@sluice/contract"
import { Result, Schema } from "effect"
import fc from "fast-check"
import { fastTypeGuard } from "../src/record/fastTypeGuard.ts"

const schemas = [CrawlResult, BatchResult] as const

/** JSON near a page: what a member may be, and what it may not. */
const text = fc.oneof(fc.constant("completed"), fc.constant("https://site.test/"), fc.string())
const value: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.constant(null),
  fc.integer({ min: -1, max: 500 }),
  fc.constant(0.5),
  fc.boolean(),
  fc.array(fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: fc.constant(null) }), { maxLength: 3 }),
  fc.constant({})
)
const members = (names: ReadonlyArray<string>, within: fc.Arbitrary<unknown>) =>
  fc.record(Object.fromEntries(names.map((name) => [name, within])), { requiredKeys: [] })
const inner = (names: ReadonlyArray<string>) => fc.oneof({ weight: 5, arbitrary: members(names, value) }, value)
const near = fc
  .tuple(
    members([...Object.keys(CrawlResult.fields), "input_index", "unknown"], value),
    inner(["markdown", "html", "links", "unknown"]),
    inner(["http_status", "duration_ms", "retry_count", "tokens_charged"])
  )
  .map(([page, data, metadata]) => ({ ...page, data, metadata }))

/** A page that fits, with some of its members replaced. */
const valid = {
  input_index: 0,
  url: "https://site.test/",
  parent_url: null,
  depth: 1,
  status: "completed",
  error_code: null,
  error_message: null,
  links: ["https://site.test/a"],
  data: { markdown: "text", html: null },
  metadata: { http_status: 200, duration_ms: 10, retry_count: 0, tokens_charged: 1 }
}
const almost = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...Object.keys(valid), "unknown"), value), { maxLength: 2 }),
    fc.constantFrom({}, { unknown: [1] })
  )
  .map(([others, more]) => ({ ...valid, data: { ...valid.data, ...more }, ...Object.fromEntries(others) }))

describe("quickGuard", () => {
  it("lets nothing through that the schema does not, and what it lets through the schema leaves as it is", () => {
    let passed = 0
    for (const schema of schemas) {
      const fits = fastTypeGuard<unknown>(schema)
      const decode = Schema.decodeUnknownResult(schema as Schema.Codec<unknown, unknown>)
      fc.assert(
        fc.property(fc.oneof(near, almost, value), (value) => {
          const json: unknown = JSON.parse(JSON.stringify(value))
          if (!fits(json)) return
          passed++
          const decoded = decode(json)
          assert.isTrue(Result.isSuccess(decoded))
          assert.containSubset(json, JSON.parse(JSON.stringify(Result.getOrThrow(decoded))))
        }),
        { numRuns: 2000 }
      )
    }
    assert.isAbove(passed, 500)
  })

  it("lets through what the schema does", () => {
    for (const schema of schemas) {
      const fits = fastTypeGuard<unknown>(schema)
      const decode = Schema.decodeUnknownResult(schema as Schema.Codec<unknown, unknown>)
      fc.assert(
        fc.property(fc.oneof(near, almost), (value) => {
          assert.strictEqual(fits(value), Result.isSuccess(decode(value)))
        }),
        { numRuns: 2000 }
      )
    }
  })

  it("is not to be had of a schema that changes values", () => {
    assert.throws(() => fastTypeGuard(Schema.Struct({ at: Schema.NumberFromString })), /changes its values/)
  })
})
