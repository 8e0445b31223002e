import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Place, sinkIn } from "./databases.ts"
import { recrawl } from "./recrawl.ts"

const changed = [0, 10] as const
const gone = [900, 1000] as const

/** What readers are left with by a run that has come to less than was expected. */
export const expectationSuite = (name: string, place: Effect.Effect<Place>): void => {
  describe(`${name}: an expectation that is not met`, () => {
    it.live("leaves readers the former pages in replace, until a run meets it", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "replace")
        const shown = database.query(
          "SELECT count(*) AS pages, count(*) FILTER (WHERE markdown LIKE '%Revised.') AS revised FROM current_pages"
        )
        const expect = { min_pages: 950 }
        assert.strictEqual((yield* recrawl(sink, 1, { expect })).status, "completed")
        const short = yield* recrawl(sink, 2, { changed, gone, expect })
        assert.deepInclude(short, {
          status: "failed",
          reason: "expectation min_pages: at least 950 completed pages were expected, and there are 900"
        })
        assert.deepStrictEqual(yield* shown, [{ pages: 1000, revised: 0 }])
        assert.deepStrictEqual(yield* database.query("SELECT status FROM runs WHERE run_id = $1", [short.run_id]), [
          { status: "failed" }
        ])
        const next = yield* recrawl(sink, 3, { changed, expect })
        assert.notStrictEqual(next.run_id, short.run_id)
        assert.deepStrictEqual(yield* shown, [{ pages: 1000, revised: 10 }])
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages"), [{ count: 1000 }])
      })
    )

    it.live("closes nothing in history, nor counts what is missing", () =>
      Effect.gen(function* () {
        const { sink, database } = yield* sinkIn(yield* place, "history", { close_after: 1 })
        yield* recrawl(sink, 1)
        const short = yield* recrawl(sink, 2, { gone, expect: { min_pages: 950 } })
        assert.strictEqual(short.status, "failed")
        assert.deepStrictEqual(
          yield* database.query("SELECT (SELECT count(*) FROM current_pages) AS pages, count(*) FROM missing_pages"),
          [{ pages: 1000, count: 0 }]
        )
        assert.strictEqual((yield* recrawl(sink, 3, { gone, expect: { min_pages: 900 } })).status, "completed")
        assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM current_pages"), [{ count: 900 }])
      })
    )
  })
}
