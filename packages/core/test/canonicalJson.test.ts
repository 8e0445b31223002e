import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { canonicalHash, canonicalJson } from "../src/record/canonicalJson.ts"

type Json = fc.JsonValue

/** The same value with the members of every object the other way round. */
const turned = (value: Json): Json => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(turned)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, turned(inner as Json)])
  )
}

describe("canonicalJson", () => {
  it("means what plain JSON means, whatever the order of members", () => {
    const property = fc.property(fc.jsonValue(), (value) => {
      assert.deepStrictEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)))
      assert.strictEqual(canonicalJson(turned(value)), canonicalJson(value))
      assert.strictEqual(canonicalHash(turned(value)), canonicalHash(value))
    })
    fc.assert(property, { seed: 3, numRuns: 300 })
  })

  it("sorts members at every depth, leaves undefined ones out, keeps the order of arrays", () => {
    const value = { b: [{ d: 1, c: undefined }, 2], a: { z: null, y: "é" } }
    assert.strictEqual(canonicalJson(value), '{"a":{"y":"é","z":null},"b":[{"d":1},2]}')
  })

  it("tells different values apart", () => {
    const values = [null, 0, "0", [], {}, [0], { a: 0 }, { a: null }, { a: [0, 1] }, { a: [1, 0] }]
    assert.strictEqual(new Set(values.map(canonicalHash)).size, values.length)
  })
})
