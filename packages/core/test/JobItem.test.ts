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
    assert.containSubset(read.item, crawled)
    assert.strictEqual(
      JSON.stringify(read.extra),
      '{"__proto__":{"polluted":1},"cached":true,"data":{"summary":null},"metadata":{"region":{"name":"eu"}}}'
    )
    assert.isUndefined(({} as { polluted?: number }).polluted)
  })

  it("is read in whatever dress its values come", () => {
    const dressed = {
      ...crawled,
      depth: " 1 ",
      links: [{ url: "https://site.test/a" }, null],
      metadata: { http_status: "200", duration_ms: 9.7, retry_count: "0.0", tokens_charged: "1" }
    }
    const { extra, item, unread } = readCrawlItem(dressed)
    assert.deepStrictEqual([item, extra, unread], [crawled, null, undefined])
    assert.deepStrictEqual(readCrawlItem({ ...crawled, error_code: 404 }).item?.error_code, "404")
    assert.isNull(readCrawlItem({ ...crawled, depth: 0 }).item?.depth)
  })

  it("keeps what cannot be read beside the page, and says of what it is", () => {
    const { extra, item, unread } = readCrawlItem({
      ...crawled,
      depth: "two",
      links: ["https://site.test/a", { no: "url" }, "https://site.test/b"],
      data: { markdown: { text: "a\0b" }, html: "<p>", summary: 1 },
      metadata: { ...crawled.metadata, duration_ms: 2 ** 31, retry_count: 1.5, tokens_charged: 2 ** 60 }
    })
    assert.containSubset(item, {
      depth: null,
      links: ["https://site.test/a", "https://site.test/b"],
      data: { markdown: null, html: "<p>" },
      metadata: { http_status: 200, duration_ms: null, retry_count: null, tokens_charged: null }
    })
    assert.deepStrictEqual(extra, {
      data: { summary: 1, markdown: { text: "a\uFFFDb" } },
      depth: "two",
      links: [{ no: "url" }],
      metadata: { duration_ms: 2 ** 31, retry_count: 1.5, tokens_charged: 2 ** 60 }
    })
    assert.sameMembers(
      [...(unread ?? [])],
      ["depth", "links", "data.markdown", "metadata.duration_ms", "metadata.retry_count", "metadata.tokens_charged"]
    )
  })

  it("keeps what nobody knows as deep as stores take it", () => {
    assert.deepStrictEqual(readCrawlItem({ ...crawled, tree: nested(60) }).extra, { tree: nested(60) as never })
    const { extra, item } = readCrawlItem({ ...crawled, tree: nested(100_000), links: nested(100_000) })
    assert.isBelow(JSON.stringify(extra).length, 1000)
    assert.deepStrictEqual(item?.links, [])
  })

  it("is known by what it says of itself, whatever else is wrong", () => {
    assert.deepStrictEqual(recognise({ ...batched, data: 1 }), {
      status: "completed" as const,
      url: "https://site.test/",
      inputIndex: 3
    })
    assert.deepStrictEqual(recognise({ status: " Failed", url: 1, input_index: -1 }), {
      status: "failed",
      url: undefined,
      inputIndex: undefined
    })
    for (const raw of [null, 7, [], {}, { url: "https://site.test/" }, { status: "done" }]) {
      assert.isUndefined(recognise(raw))
    }
  })
})
