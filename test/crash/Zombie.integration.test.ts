import { assert, describe, it } from "@effect/vitest"
import { createDatabase } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { receiptOf } from "./Life.ts"
import { workOf } from "./Work.ts"
import { halfWay, isHalfWay, openWorkplace } from "./Workplace.ts"

describe("a process stopped past its lease", () => {
  it.live("writes nothing after another has taken its run over, and both say so", () =>
    Effect.gen(function* () {
      const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
      const work = workOf("crawl", 6, { pages: 150, perPoll: 3 })
      const workplace = yield* openWorkplace({ work, url, pipeline: "zombie", heldAfter: halfWay.crawl })
      const zombie = yield* workplace.begin()
      const before = yield* workplace.until(isHalfWay(work))
      zombie.kill("SIGSTOP")
      yield* workplace.letGo
      const [held] = before.runs
      assert.isNotNull(held!.holder)

      const heir = yield* workplace.live()
      const inherited = yield* receiptOf(heir)
      assert.deepInclude(inherited, { status: "completed", run_id: held!.run_id })
      assert.match(heir.stdout, new RegExp(`run ${held!.run_id} is taken over from ${held!.holder}, whose lease`))
      const taken = yield* workplace.books
      assert.deepStrictEqual((yield* workplace.finding).wrong, [])

      zombie.kill("SIGCONT")
      const said = yield* receiptOf(yield* zombie.end)
      assert.deepInclude(said, { status: "halted", run_id: held!.run_id }, said.reason)
      assert.strictEqual(
        said.reason,
        "another process took this run over (it ended as completed); this one stops without writing"
      )
      assert.deepStrictEqual(yield* workplace.books, taken)
      assert.strictEqual(workplace.simulator.charges.received("POST"), 1)
    })
  )
})
