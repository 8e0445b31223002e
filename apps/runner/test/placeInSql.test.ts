import { assert, it } from "@effect/vitest"
import { placeInSql } from "../src/placeInSql.ts"

it("the place of an error in a statement is told by line and column, in characters", () => {
  assert.strictEqual(placeInSql("SELECT x", 8), " (line 1, column 8)")
  assert.strictEqual(placeInSql("SELECT '\u{1F600}',\n  x", 15), " (line 2, column 3)")
  assert.strictEqual(placeInSql("SELECT x", undefined), "")
})
