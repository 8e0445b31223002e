import { assert, describe, it } from "@effect/vitest"
import { createDatabase } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { workOf } from "./Work.ts"
import { openWorkplace } from "./Workplace.ts"

describe("a commit whose answer was lost", () => {
  // An extract's segments bring new jobs, and so new token summaries, to the end.
  for (const [mode, kind] of [
    ["append", "extract"],
    ["merge", "crawl"]
  ] as const) {
    it.live(`is written again, which changes nothing, and counted once: ${kind}, ${mode}`, () =>
      Effect.gen(function* () {
        const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
        const workplace = yield* openWorkplace({ work: workOf(kind, 2), url, pipeline: "lost-commit" })
        const end = yield* workplace.live({ FORGETS_EVERY: "2", MODE: mode })
        assert.strictEqual(end.code, 0, end.stderr)
        assert.deepStrictEqual((yield* workplace.finding).wrong, [])
      })
    )
  }
})
