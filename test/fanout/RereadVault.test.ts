import { assert, describe, it } from "@effect/vitest"
import { makeLedgerMemory, Pipeline } from "@sluice/core"
import { Directory } from "@sluice/sink-s3"
import { crawlHistory, type JobHistory, vanishingAt } from "@sluice/testkit"
import { Effect, Stream } from "effect"
import { folder } from "../../packages/sink-s3/test/folder.ts"
import { setting, site } from "../core/attempts.ts"
import { memorySink } from "../core/MemorySink.ts"

const quick = { settleTime: "50 millis" } as const

describe("a run that is read again beside a vault", () => {
  it.live("asks the API again, whatever the vault has noted of its end, and is replayed as it ended last", () =>
    Effect.gen(function* () {
      const job = { isBack: false }
      const whole = crawlHistory(site, { perPoll: 20 })
      const gone = vanishingAt(3, whole)
      const history: JobHistory = { at: (poll) => (job.isBack ? whole.at(poll) : gone.at(poll)) }
      const vault = Directory.vault({ path: yield* folder })
      const lake = yield* folder
      const { attempt, pipeline, simulator, sink } = yield* setting(
        { crawl: () => history },
        { vault, others: [{ ...memorySink(), sink: Directory.sink({ path: lake }) }] }
      )
      const first = yield* attempt({ reader: quick })
      assert.strictEqual(first.receipt.status, "incomplete")
      job.isBack = true
      const second = yield* attempt()
      assert.deepInclude(second.receipt, { run_id: first.receipt.run_id, status: "completed" })
      assert.strictEqual(sink.pages.size, 90)
      assert.strictEqual(simulator.charges.received("POST"), 1)

      const fresh = makeLedgerMemory()
      const other = memorySink()
      const again = Pipeline.make({ ...pipeline, expect: undefined, quarantine: undefined, sinks: [other.sink] })
      const [replayed] = yield* Stream.runCollect(Pipeline.replay(again, { vault, ledger: fresh }))
      assert.strictEqual(replayed?.result, "loaded")
      assert.strictEqual(other.pages.size, 90)
      const [restored] = yield* fresh.runs({ limit: 1 })
      assert.deepInclude(restored, { runId: first.receipt.run_id, status: "completed" })
      assert.deepStrictEqual(restored?.receipt?.supersedes, second.receipt.supersedes)
    })
  )
})
