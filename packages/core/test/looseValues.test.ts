import { assert, describe, it } from "@effect/vitest"
import {
  looseBoolean,
  looseInstant,
  looseInteger,
  looseText,
  looseWord,
  unreadable
} from "../src/record/looseValues.ts"

describe("a value in another dress", () => {
  it("is an integer", () => {
    for (const [raw, counted, measured] of [
      [7, 7, 7],
      ["7", 7, 7],
      [" +7 ", 7, 7],
      ["7.0", 7, 7],
      ["7e2", 700, 700],
      [7.4, unreadable, 7],
      ["7.5", unreadable, 8],
      [-0.2, unreadable, 0],
      [undefined, null, null],
      [null, null, null],
      ["", null, null],
      ["N/A", null, null],
      ["NaN", null, null],
      [true, unreadable, unreadable],
      [[7], unreadable, unreadable],
      ["seven", unreadable, unreadable],
      ["0x7", unreadable, unreadable],
      ["1,000", unreadable, unreadable],
      [2 ** 31, unreadable, unreadable],
      ["9007199254740993", unreadable, unreadable],
      [Number.POSITIVE_INFINITY, unreadable, unreadable]
    ] as const) {
      assert.deepStrictEqual([looseInteger(raw, false), looseInteger(raw, true)], [counted, measured], String(raw))
    }
  })

  it("is a text, a word, a boolean", () => {
    assert.deepStrictEqual([404, "a", null, undefined].map(looseText), ["404", "a", null, null])
    assert.deepStrictEqual([true, {}, ["a"]].map(looseText), [unreadable, unreadable, unreadable])
    const words = ["queued", "completed"] as const
    assert.strictEqual(looseWord(" COMPLETED ", words), "completed")
    assert.strictEqual(looseWord("finished", words, new Map([["finished", "completed" as const]])), "completed")
    assert.strictEqual(looseWord("finished", words), unreadable)
    assert.deepStrictEqual([true, "False", 1, "0", "", null].map(looseBoolean), [true, false, true, false, null, null])
    assert.deepStrictEqual(["yes", 2, {}].map(looseBoolean), [unreadable, unreadable, unreadable])
  })

  it("is an instant", () => {
    const at = Date.UTC(2026, 0, 2, 3, 4, 5)
    for (const raw of [
      "2026-01-02T03:04:05Z",
      "2026-01-02T03:04:05",
      "2026-01-02 03:04:05",
      "2026-01-02T04:04:05+01:00",
      "Fri, 02 Jan 2026 03:04:05 GMT",
      at,
      at / 1000,
      String(at)
    ]) {
      assert.strictEqual(looseInstant(raw), at, String(raw))
    }
    assert.strictEqual(looseInstant("2026-01-02T03:04:05.678901Z"), at + 678)
    assert.deepStrictEqual(["soon", 1e300, {}, true].map(looseInstant), [
      unreadable,
      unreadable,
      unreadable,
      unreadable
    ])
    assert.deepStrictEqual(["", null].map(looseInstant), [null, null])
  })
})
