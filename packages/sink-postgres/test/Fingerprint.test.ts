import { assert, describe, it } from "@effect/vitest"
import { sampleRecord } from "@sluice/testkit"
import { fingerprint } from "../src/Fingerprint.ts"

const record = sampleRecord("https://a.example/1")

describe("fingerprint", () => {
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
