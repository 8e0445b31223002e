import { assert, describe, it } from "@effect/vitest"
import { createDatabase } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { kinds, workOf } from "./Work.ts"
import { openWorkplace } from "./Workplace.ts"

describe("a commit whose answer was lost", () => {
  for (const mode of ["append", "merge"]) {
    it.live(`is written again, which changes nothing, and counted once: ${mode}`, () =>
      Effect.gen(function* () {
        const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
        for (const kind of mode === "merge" ? (["crawl"] as const) : kinds) {
          const work = workOf(kind, 2)
          const workplace = yield* openWorkplace({ work, url, pipeline: `lost-commit-${kind}` })
          const end = yield* workplace.live({ FORGETS_EVERY: "2", MODE: mode })
          assert.strictEqual(end.code, 0, end.stderr)
          assert.deepStrictEqual((yield* workplace.finding).wrong, [], kind)
        }
      })
    )
  }
})
