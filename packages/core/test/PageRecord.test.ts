import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { pageKey, weigh } from "../src/record/PageRecord.ts"
import { recordOfItem } from "../src/source/recordOfItem.ts"

describe("pageKey", () => {
  it("is the first eight bytes of the URL's SHA-256, signed", () => {
    const property = fc.property(fc.oneof(fc.webUrl(), fc.string({ unit: "grapheme" })), (url) => {
      const digest = createHash("sha256").update(url).digest()
      assert.strictEqual(pageKey(url), digest.readBigInt64BE(0))
    })
    fc.assert(property, { seed: 1, numRuns: 500 })
  })

  it("never changes", () => {
    assert.strictEqual(pageKey("https://site.test/"), pageKey("https://site.test/", 0))
    assert.deepStrictEqual(
      [pageKey("https://example.com/"), pageKey("https://example.com/", 1)],
      [1085751997324837085n, -2976143829098423736n]
    )
  })

  it("tells URLs and occurrences apart", () => {
    const property = fc.property(fc.webUrl(), fc.webUrl(), fc.nat(9), fc.nat(9), (a, b, i, j) => {
      assert.strictEqual(pageKey(a, i) === pageKey(b, j), a === b && i === j)
    })
    fc.assert(property, { seed: 2, numRuns: 200 })
  })
})

describe("recordOfItem", () => {
  const place = { jobId: "job", key: 1n, inputIndex: null, parentUrl: null, depth: 1, links: null }

  it("takes absent and null members for the same", () => {
    const bare = recordOfItem(place, { url: "https://site.test/", status: "completed" })
    const nulls = { error_code: null, error_message: null, data: null, metadata: null }
    assert.deepStrictEqual(recordOfItem(place, { url: "https://site.test/", status: "completed", ...nulls }), bare)
    assert.deepInclude(bare, { markdown: null, html: null, links: [], httpStatus: null, tokensCharged: null })
  })

  it("weighs what it holds", () => {
    const data = { markdown: "12345", html: "123" }
    const links = ["https://a.test/"]
    const record = recordOfItem({ ...place, links }, { url: "https://site.test/", status: "completed", data })
    assert.strictEqual(record.bytes, 200 + 18 + 5 + 3 + 15 + 16)
    assert.strictEqual(record.bytes, weigh(record))
  })
})
