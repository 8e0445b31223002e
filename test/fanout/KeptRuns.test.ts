import { readdirSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { makeLedgerMemory, type PageRecord, Pipeline, type Receipt } from "@sluice/core"
import type { Segment } from "@sluice/core/sink"
import { Directory } from "@sluice/sink-s3"
import { sampleRecord } from "@sluice/testkit"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { directoryStore } from "../../packages/sink-s3/src/DirectoryStore.ts"
import type { ObjectStore } from "../../packages/sink-s3/src/ObjectStore.ts"
import { type Keeping, lakeVault } from "../../packages/sink-s3/src/vault/lakeVault.ts"
import { folder } from "../../packages/sink-s3/test/folder.ts"
import { crawl, setting } from "../core/attempts.ts"
import { memorySink } from "../core/MemorySink.ts"

const handleOf = (epoch: number) => ({
  runId: "01a201f7-0000-7000-8000-000000000001",
  pipeline: "test",
  configHash: "h",
  startedAt: 1_750_000_000_000,
  epoch
})

const segmentOf = (seq: number, records: ReadonlyArray<PageRecord>, epoch = 1): Segment => ({
  runId: handleOf(epoch).runId,
  epoch,
  seq,
  bytes: 10,
  jobs: [],
  records
})

const page = (at: number) =>
  sampleRecord(`https://a.example/${at}`, { refusal: { reason: "contract", detail: "none", raw: "{}" } })

const receipt = (status: Receipt["status"]): Receipt => ({
  run_id: handleOf(1).runId,
  pipeline: "test",
  config_hash: "h",
  status,
  started_at: "2026-01-01T00:00:00.000Z",
  finished_at: "2026-01-01T00:00:01.000Z",
  jobs: [],
  pages: { discovered: 0, completed: 0, failed: 0, cancelled: 0, delivered: 0 },
  tokens: { charged: 0, reserved: 0 },
  sinks: [],
  requests: { submitted: 0, reads: 0, retries: 0 }
})

const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)

/** A vault or a spool in a directory of its own, over a store that may be another's as well. */
const kept = Effect.fnUntraced(function* (keeping: Keeping, over = (store: ObjectStore) => store) {
  const path = yield* folder
  return { path, left: () => filesIn(path), ...lakeVault(over(directoryStore(path)), "kept", keeping) }
})

const nobody = () => Effect.succeed(false)

describe("a spool", () => {
  it.effect("holds two segments without pages, and still reads the one when the other is released", () =>
    Effect.gen(function* () {
      const { begin, left } = yield* kept("until landed")
      const first = yield* begin(handleOf(1))
      yield* first.keep(segmentOf(1, []))
      yield* first.keep(segmentOf(2, []))
      const [one, two] = (yield* begin(handleOf(2))).segments
      const second = yield* begin(handleOf(3))
      yield* second.release!(one!)
      assert.deepStrictEqual(yield* second.read(two!), [])
      yield* second.close!
      assert.isEmpty(left())
    })
  )

  it.effect("is rid of what a process added that had lost its run, once the next run begins", () =>
    Effect.gen(function* () {
      const { begin, left, sweep } = yield* kept("until landed")
      const zombie = yield* begin(handleOf(1))
      const heir = yield* begin(handleOf(2))
      yield* heir.close!
      yield* zombie.keep(segmentOf(1, [page(1)]))
      assert.lengthOf(left(), 2)
      yield* sweep!("test", () => Effect.succeed(true))
      assert.lengthOf(left(), 2)
      yield* sweep!("other", nobody)
      assert.lengthOf(left(), 2)
      yield* sweep!("test", nobody)
      assert.isEmpty(left())
    })
  )

  it.effect("is swept while the process that ended its run removes what it had kept", () =>
    Effect.gen(function* () {
      let closing: Effect.Effect<void> = Effect.void
      // Whatever has been listed is gone by the time it is looked at.
      const vanishing = (store: ObjectStore): ObjectStore => ({
        ...store,
        list: (prefix) =>
          Stream.unwrap(
            Effect.map(Stream.runCollect(store.list(prefix)), (objects) =>
              Stream.fromEffectDrain(closing).pipe(Stream.concat(Stream.fromIterable(objects)))
            )
          )
      })
      const { begin, left, path, sweep } = yield* kept("until landed", vanishing)
      const run = yield* begin(handleOf(1))
      yield* run.keep(segmentOf(1, [page(1)]))
      closing = Effect.orDie(
        Effect.flatMap(
          lakeVault(directoryStore(path), "kept", "until landed").begin(handleOf(2)),
          ({ close }) => close!
        )
      )
      yield* sweep!("test", nobody)
      assert.isEmpty(left())
    })
  )

  it.effect("is rid of files that a process was writing when it died, a day later", () =>
    Effect.gen(function* () {
      const { left, path, sweep } = yield* kept("until landed")
      const store = directoryStore(path)
      yield* store.create("_sluice/staging/of-one-that-died", {
        bytes: new Uint8Array(1),
        contentType: "text/plain",
        sha256: ""
      })
      yield* TestClock.setTime(Date.now())
      yield* sweep!("test", nobody)
      assert.lengthOf(left(), 1)
      yield* TestClock.adjust("25 hours")
      yield* sweep!("test", nobody)
      assert.isEmpty(left())
    })
  )
})

describe("a vault", () => {
  it.effect("takes no receipt of a process that had lost its run", () =>
    Effect.gen(function* () {
      const { begin, runs } = yield* kept("for good")
      const zombie = yield* begin(handleOf(1))
      const heir = yield* begin(handleOf(2))
      yield* zombie.keepReceipt!({ receipt: receipt("failed"), submissions: [] })
      const [open] = yield* Stream.runCollect(runs("test"))
      assert.deepInclude(open, { epoch: 2, end: undefined })
      yield* heir.keepReceipt!({ receipt: receipt("completed"), submissions: [] })
      const [ended] = yield* Stream.runCollect(runs("test"))
      assert.strictEqual(ended?.end?.receipt.status, "completed")
    })
  )

  it.live("is replayed past runs of which nothing was read: one that failed, and one that has only begun", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const vault = Directory.vault({ path })
      const { attempt, pipeline, simulator } = yield* setting({}, { vault })
      simulator.faults.add({ fault: { _tag: "Status", status: 402 }, method: "POST", times: 1 })
      const failed = yield* attempt()
      assert.notStrictEqual(failed.receipt.status, "completed")
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "completed")
      yield* lakeVault(directoryStore(path), "vault", "for good").begin({ ...handleOf(1), startedAt: Date.now() })
      const target = memorySink()
      const anew = Pipeline.make({ name: pipeline.name, source: crawl, sinks: [target.sink] })
      const replayed = yield* Stream.runCollect(Pipeline.replay(anew, { vault, ledger: makeLedgerMemory() }))
      assert.deepStrictEqual(
        replayed.map(({ result, runId }) => [runId, result]),
        [
          [failed.receipt.run_id, "unchanged"],
          [receipt.run_id, "loaded"],
          [handleOf(1).runId, "open"]
        ]
      )
      assert.strictEqual(target.pages.size, 90)
    })
  )
})
