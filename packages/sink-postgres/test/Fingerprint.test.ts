import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import type { PageRecord } from "@sluice/core"
import { sampleRecord } from "@sluice/testkit"
import fc from "fast-check"
import { fingerprint } from "../src/pages/Fingerprint.ts"

const record = sampleRecord("https://a.example/1")

/** As it is defined: the fields, parted by NUL, under SHA-256. */
const defined = (page: PageRecord): bigint => {
  const field = (text: string | null) => (text === null ? "" : `=${text}`)
  const { depth, errorCode, errorMessage, html, inputIndex, links, markdown, parentUrl, status, url } = page
  const texts = [parentUrl, errorCode, errorMessage, markdown, html].map(field)
  const fields = [`${depth}`, `${inputIndex}`, status, url, ...texts, ...links]
  return createHash("sha256").update(fields.join("\0")).digest().readBigInt64BE(0)
}

describe("fingerprint", () => {
  it("is that of the fields as they are, of whatever size and script", () => {
    const text = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", ""))
    // Around the size past which a page has a buffer of its own.
    const large = fc
      .tuple(text, fc.integer({ min: 80_000, max: 300_000 }))
      .map(([text, length]) => `${text}é`.repeat(length / (text.length + 1)))
    const some = fc.option(fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: large }))
    const page = fc.record({
      parentUrl: some,
      errorCode: some,
      errorMessage: some,
      markdown: some,
      html: some,
      links: fc.array(text, { maxLength: 30 }),
      depth: fc.option(fc.integer())
    })
    fc.assert(
      fc.property(page, (page) => {
        const whole = { ...record, ...page }
        assert.strictEqual(fingerprint(whole), defined(whole))
      }),
      { seed: 1, numRuns: 200 }
    )
  })

  it("is what it was before there was anything extra, where there is none", () => {
    assert.strictEqual(fingerprint(record), -7754500636069845450n)
  })

  it("goes by the content of what is extra, not by the order of its members", () => {
    const one = fingerprint({ ...record, extra: { a: 1, b: { c: [2], d: null } } })
    assert.strictEqual(fingerprint({ ...record, extra: { b: { d: null, c: [2] }, a: 1 } }), one)
    assert.notStrictEqual(fingerprint({ ...record, extra: { a: 1 } }), one)
    assert.notStrictEqual(fingerprint(record), one)
  })
})
