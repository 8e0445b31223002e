import { assert, describe, it } from "@effect/vitest"
import { readBatchItem, readCrawlItem, recognise } from "../src/source/JobItem.ts"

const crawled = {
  url: "https://site.test/",
  parent_url: null,
  depth: 1,
  status: "completed" as const,
  error_code: null,
  error_message: null,
  links: ["https://site.test/a"],
  data: { markdown: "text", html: null },
  metadata: { http_status: 200, duration_ms: 10, retry_count: 0, tokens_charged: 1 }
}
const batched = {
  input_index: 3,
  url: "https://site.test/",
  status: "completed" as const,
  data: { markdown: "a", html: null }
}

const refusalOf = (raw: unknown) => {
  const read = readCrawlItem(raw)
  return "refusal" in read ? read.refusal : undefined
}

/** A list in a list in a list. */
const nested = (depth: number): unknown => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`)

describe("an item of a job", () => {
  it("that fits has nothing extra", () => {
    assert.deepStrictEqual(readCrawlItem(crawled), { item: crawled, extra: null })
    assert.deepStrictEqual(readBatchItem(batched), { item: batched, extra: null })
    assert.deepStrictEqual(readBatchItem({ ...batched, data: null }), { item: { ...batched, data: null }, extra: null })
  })

  it("keeps what the contract does not know, at the places where it knows the rest", () => {
    const raw = JSON.parse(
      JSON.stringify({
        ...crawled,
        cached: true,
        data: { ...crawled.data, summary: null },
        metadata: { ...crawled.metadata, region: { name: "eu" } }
      }).replace("{", '{"__proto__":{"polluted":1},')
    )
    const read = readCrawlItem(raw)
    assert.isTrue("item" in read)
    if (!("item" in read)) return
    assert.containSubset(read.item, crawled)
    assert.strictEqual(
      JSON.stringify(read.extra),
      '{"__proto__":{"polluted":1},"cached":true,"data":{"summary":null},"metadata":{"region":{"name":"eu"}}}'
    )
    assert.isUndefined(({} as { polluted?: number }).polluted)
  })

  it("that does not fit says where, and never what", () => {
    const secret = 'canary\n  at ["canary"]'
    for (const [raw, where] of [
      [{ ...crawled, data: { markdown: 42, html: secret } }, '["data"]["markdown"]'],
      [{ ...crawled, depth: secret }, '["depth"]'],
      [{ ...crawled, links: ["a", 7] }, '["links"][1]'],
      [{ ...crawled, metadata: { http_status: 200 } }, '["metadata"]["duration_ms"]']
    ] as const) {
      const refusal = refusalOf(raw)
      assert.strictEqual(refusal?.detail, `it does not fit the contract: ${where}`)
      assert.deepStrictEqual(JSON.parse(refusal?.raw ?? ""), raw)
    }
  })

  it("is refused where what nobody knows is nested too deep for anybody", () => {
    const fits = readCrawlItem({ ...crawled, tree: nested(60) })
    assert.isTrue("item" in fits)
    const refusal = refusalOf({ ...crawled, tree: nested(100_000) })
    assert.match(refusal?.detail ?? "", /nested more than 64 deep$/)
    assert.isBelow(refusal?.raw.length ?? 0, 1000)
    assert.deepInclude(JSON.parse(refusal?.raw ?? ""), crawled)
    assert.isDefined(refusalOf({ ...crawled, links: nested(100_000) }))
  })

  it("is known by what it says of itself, whatever else is wrong", () => {
    assert.deepStrictEqual(recognise({ ...batched, data: 1 }), {
      status: "completed" as const,
      url: "https://site.test/",
      inputIndex: 3
    })
    assert.deepStrictEqual(recognise({ status: "failed", url: 1, input_index: -1 }), {
      status: "failed",
      url: undefined,
      inputIndex: undefined
    })
    for (const raw of [null, 7, [], {}, { url: "https://site.test/" }, { status: "done" }]) {
      assert.isUndefined(recognise(raw))
    }
  })
})
