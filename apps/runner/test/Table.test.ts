import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import stringWidth from "string-width"
import { describeTable } from "../src/table.ts"

describe("a table", () => {
  it("lines up wide characters and emoji", () => {
    assert.deepStrictEqual(
      describeTable([
        { title: "日本語", n: 1 },
        { title: "plain", n: 2 }
      ]).split("\n"),
      ["title   n", "------  -", "日本語  1", "plain   2"]
    )
  })

  it("cuts wide cells, and every column begins at the same place in each line", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 100 })
    fc.assert(
      fc.property(fc.array(fc.record({ a: text, b: fc.constant("|") }), { minLength: 1, maxLength: 5 }), (rows) => {
        const [head, ...lines] = describeTable(rows).split("\n")
        const columns = lines.slice(1).map((line) => stringWidth(line.slice(0, line.lastIndexOf("|"))))
        assert.lengthOf(new Set(columns), 1)
        assert.isAtMost(columns[0]!, 62)
        assert.isDefined(head)
      })
    )
  })
})
