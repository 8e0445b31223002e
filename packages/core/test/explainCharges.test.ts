import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type ExpectedCharge, explainCharges } from "../src/run/explainCharges.ts"

const certain = (from: number, to: number, tokens: number): ExpectedCharge => ({ from, to, tokens, isCertain: true })
const maybe = (from: number, to: number, tokens: number): ExpectedCharge => ({ from, to, tokens, isCertain: false })

const restsOf = (charged: ReadonlyArray<number>, expected: ReadonlyArray<ExpectedCharge>) =>
  explainCharges(charged, expected).map(({ charged, explained, missing }) => [charged - explained, missing])

describe("charges of an account", () => {
  it("are explained by what was charged on their day", () => {
    assert.deepStrictEqual(restsOf([5, 7, 0], [certain(0, 0, 5), certain(1, 1, 3), certain(1, 1, 4)]), [
      [0, 0],
      [0, 0],
      [0, 0]
    ])
    assert.deepStrictEqual(restsOf([5, 7], [certain(0, 0, 6), certain(1, 1, 4)]), [
      [0, 1],
      [3, 0]
    ])
  })

  it("are explained by work that spans midnight, on whichever day wants it", () => {
    assert.deepStrictEqual(restsOf([10, 20], [certain(0, 1, 25), certain(0, 0, 5)]), [
      [0, 0],
      [0, 0]
    ])
    // What may wait does not take the place of what may not.
    assert.deepStrictEqual(restsOf([4, 4, 4], [certain(0, 2, 8), certain(0, 0, 4)]), [
      [0, 0],
      [0, 0],
      [0, 0]
    ])
  })

  it("are explained by what may have been charged only where nothing else does", () => {
    assert.deepStrictEqual(restsOf([3, 3], [maybe(0, 1, 9), certain(0, 1, 4)]), [
      [0, 0],
      [0, 0]
    ])
    assert.deepStrictEqual(restsOf([0, 0], [maybe(0, 1, 9)]), [
      [0, 0],
      [0, 0]
    ])
  })

  it("reach beyond the days that are compared", () => {
    assert.deepStrictEqual(restsOf([3], [maybe(-4, 0, 2), certain(0, 5, 1), certain(-9, -1, 7), certain(1, 2, 7)]), [
      [0, 0]
    ])
  })

  it("are explained to the last token where work of ours explains them, whatever the days it spans", () => {
    const days = 6
    const work = fc.record({
      from: fc.nat(days - 1),
      length: fc.nat(3),
      parts: fc.array(fc.nat(9), { minLength: 4, maxLength: 4 })
    })
    fc.assert(
      fc.property(
        fc.array(work, { maxLength: 12 }),
        fc.array(fc.nat(5), { minLength: days, maxLength: days }),
        (works, foreign) => {
          const charged = [...foreign]
          const expected = works.map(({ from, length, parts }) => {
            const to = Math.min(days - 1, from + length)
            let tokens = 0
            for (let day = from; day <= to; day++) {
              charged[day]! += parts[day - from]!
              tokens += parts[day - from]!
            }
            return certain(from, to, tokens)
          })
          const explained = explainCharges(charged, expected)
          const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)
          assert.strictEqual(sum(explained.map(({ missing }) => missing)), 0)
          assert.strictEqual(sum(explained.map((day) => day.charged - day.explained)), sum(foreign))
        }
      )
    )
  })
})
