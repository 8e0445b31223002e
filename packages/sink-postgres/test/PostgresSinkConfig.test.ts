import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { Postgres } from "../src/index.ts"

describe("the options of a Postgres sink", () => {
  it("make its behaviour, in which modes without further options are as they were", () => {
    const behaviours = [
      {},
      { mode: "replace" },
      { mode: "history" },
      { mode: "history", close_after: 5 },
      { retain: { runs: 3 } }
    ] as const
    assert.deepStrictEqual(
      behaviours.map((options) => Postgres.sink({ ...options, schema: "s" }).behaviour),
      [
        { mode: "merge", schema: "s" },
        { mode: "replace", schema: "s" },
        { mode: "history", schema: "s", close_after: 3 },
        { mode: "history", schema: "s", close_after: 5 },
        { mode: "merge", schema: "s" }
      ]
    )
  })

  it("are refused where they make no sense", () => {
    assert.throws(() => Postgres.sink({ mode: "merge", close_after: 2 }), "needs mode: history")
    assert.throws(() => Postgres.sink({ mode: "history", close_after: 0 }))
    assert.throws(() => Postgres.sink({ retain: { runs: 0 } }))
  })

  it("take a redacted url whatever it is labelled", () => {
    assert.doesNotThrow(() => Postgres.sink({ url: Redacted.make("postgres://x@127.0.0.1:1/x", { label: "theirs" }) }))
  })
})
