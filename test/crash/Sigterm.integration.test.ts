import { assert, describe, it } from "@effect/vitest"
import { createDatabase } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { tornIn } from "./Books.ts"
import { kinds, workOf } from "./Work.ts"
import { halfWay, isHalfWay, openWorkplace } from "./Workplace.ts"

/** Nobody would wait this long for a lease in a test: who resumes at once has not waited. */
const longLease = { LEASE_MS: "600000" }

describe("a process told to end while it loads", () => {
  for (const kind of kinds) {
    it.live(`ends by itself and gives its run up, to be gone on with at once: ${kind}`, () =>
      Effect.gen(function* () {
        const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
        const work = workOf(kind, 4, { pages: 150, perPoll: 3 })
        const workplace = yield* openWorkplace({ work, url, pipeline: "told-to-end", heldAfter: halfWay[kind] })
        const life = yield* workplace.begin(longLease)
        yield* workplace.until(isHalfWay(work))
        life.kill("SIGTERM")
        const end = yield* life.end
        yield* workplace.letGo
        assert.isNull(end.signal, "it was killed")
        assert.notStrictEqual(end.code, 0)

        const left = yield* workplace.books
        assert.deepStrictEqual(tornIn(left), [])
        assert.deepInclude(left.runs[0], { status: "interrupted", is_over: false, holder: null })
        assert.isBelow(left.pages.length, work.pages.length)

        const heir = yield* workplace.live(longLease)
        assert.strictEqual(heir.code, 0, heir.stderr)
        assert.deepStrictEqual((yield* workplace.finding).wrong, [])
      })
    )
  }
})
