import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Batch, Extract, makeLedgerMemory, Pipeline, SiteMap, type Source, Transform } from "@sluice/core"
import { Directory } from "@sluice/sink-s3"
import { crawlHistory } from "@sluice/testkit"
import { Deferred, Effect, Fiber, Option, Stream } from "effect"
import { folder } from "../../packages/sink-s3/test/folder.ts"
import { crawl, setting, site, urls } from "../core/attempts.ts"
import { memorySink, sinkFailure } from "../core/MemorySink.ts"

/** Every file below a directory, by its path from there. */
const filesOf = (root: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(root.length), readFileSync(path, "base64")])
  )

const sources: Readonly<Record<string, Source>> = {
  crawl,
  batch: Batch.make({ urls: [...urls, urls[0]!] }),
  extract: Extract.make({ urls, extract_links: true }),
  sync: Extract.make({ urls, mode: "sync" }),
  map: SiteMap.make({ url: "https://site.test/" }),
  "map into extract": SiteMap.make({ url: "https://site.test/", into: { extract: {} } })
}

describe("replay", () => {
  for (const [name, source] of Object.entries(sources)) {
    it.live(`gives the same objects and receipts again, byte for byte, without a request: ${name}`, () =>
      Effect.gen(function* () {
        const lake = yield* folder
        const vault = Directory.vault({ path: yield* folder })
        const first = memorySink()
        const { ledger, pipeline, ...api } = yield* setting(
          { crawl: () => crawlHistory(site, { perPoll: 20 }) },
          { source, sink: { ...first, sink: Directory.sink({ path: lake }) }, others: [first], vault }
        )
        const { receipt } = yield* api.attempt()
        assert.strictEqual(receipt.status, "completed")
        const before = filesOf(lake)
        const asked = api.simulator.charges.requests.length
        const submissions = yield* Stream.runCollect(ledger.submissions(receipt.run_id))

        rmSync(lake, { recursive: true })
        const second = memorySink()
        const fresh = makeLedgerMemory()
        const again = Pipeline.make({
          ...pipeline,
          expect: undefined,
          quarantine: undefined,
          sinks: [Directory.sink({ path: lake }), second.sink]
        })
        const replayed = yield* Stream.runCollect(Pipeline.replay(again, { vault, ledger: fresh }))
        assert.deepStrictEqual(
          replayed.map(({ result, runId }) => [runId, result]),
          [[receipt.run_id, "loaded"]]
        )
        assert.deepStrictEqual(filesOf(lake), before)
        assert.deepStrictEqual(
          [...second.pages.values()].map(withoutAnswer),
          [...first.pages.values()].map(withoutAnswer)
        )
        assert.strictEqual(api.simulator.charges.requests.length, asked)
        const [restored] = yield* fresh.runs({ limit: 9 })
        assert.deepStrictEqual(restored?.receipt, receipt)
        assert.deepStrictEqual(yield* Stream.runCollect(fresh.submissions(receipt.run_id)), submissions)

        const third = yield* Stream.runCollect(Pipeline.replay(again, { vault, ledger: fresh }))
        assert.deepStrictEqual(
          third.map(({ result }) => result),
          ["unchanged"]
        )
      })
    )
  }

  it.live(
    "gives a sink that was added what it lacks, the others nothing, and lands in another pipeline under its own id",
    () =>
      Effect.gen(function* () {
        const vault = Directory.vault({ path: yield* folder })
        const { attempt, ledger, pipeline, sink } = yield* setting({}, { vault })
        const { receipt } = yield* attempt()
        const added = memorySink({ name: "added" })
        const wider = Pipeline.make({
          ...pipeline,
          expect: undefined,
          quarantine: undefined,
          sinks: [sink.sink, added.sink]
        })
        const written = sink.written.length
        const [replayed] = yield* Stream.runCollect(Pipeline.replay(wider, { vault, ledger }))
        assert.strictEqual(replayed?.result, "loaded")
        assert.strictEqual(added.pages.size, 90)
        assert.strictEqual(sink.written.length, written)
        const [run] = yield* ledger.runs({ limit: 1 })
        assert.deepStrictEqual(
          run?.receipt?.sinks.map(({ name, rows }) => [name, rows.pages]),
          [
            ["memory", 90],
            ["added", 90]
          ]
        )
        assert.deepStrictEqual(
          { ...run?.receipt, sinks: [], config_hash: "" },
          { ...receipt, sinks: [], config_hash: "" }
        )

        const other = memorySink({ name: "other" })
        const elsewhere = Pipeline.make({
          ...pipeline,
          name: "elsewhere",
          expect: undefined,
          quarantine: undefined,
          transforms: [Transform.select({ status: ["completed"], max_depth: 2 })],
          sinks: [other.sink]
        })
        for (const result of ["loaded", "unchanged"]) {
          const [done] = yield* Stream.runCollect(Pipeline.replay(elsewhere, { vault, ledger, from: pipeline.name }))
          assert.strictEqual(done?.result, result)
        }
        assert.isTrue([...other.pages.values()].every(({ depth }) => depth! <= 2))
        assert.lengthOf(yield* ledger.runs({ limit: 9 }), 2)
        assert.lengthOf(yield* ledger.runs({ limit: 9, pipeline: "elsewhere" }), 1)
      })
  )

  it.live("lands anew what is gone from a sink, if told so", () =>
    Effect.gen(function* () {
      const vault = Directory.vault({ path: yield* folder })
      const { attempt, ledger, pipeline, sink } = yield* setting({}, { vault })
      yield* attempt()
      sink.pages.clear()
      const [replayed] = yield* Stream.runCollect(Pipeline.replay(pipeline, { vault, ledger, again: ["memory"] }))
      assert.strictEqual(replayed?.result, "loaded")
      assert.strictEqual(sink.pages.size, 90)
      assert.strictEqual(sink.published, 2)
      const [run] = yield* ledger.runs({ limit: 1 })
      assert.strictEqual(run?.receipt?.sinks[0]?.rows.pages, 90)
    })
  )

  it.live("shows readers of the last run alone none that is older than what the ledger knows", () =>
    Effect.gen(function* () {
      const lake = yield* folder
      const vault = Directory.vault({ path: yield* folder })
      const sink = { ...memorySink(), sink: Directory.sink({ path: lake, mode: "replace" }) }
      const before = yield* setting({}, { vault, sink })
      const lost = yield* before.attempt()
      rmSync(lake, { recursive: true })
      const { attempt, ledger, pipeline } = yield* setting({}, { vault, sink, ledger: makeLedgerMemory() })
      const { receipt } = yield* attempt()
      const shown = readFileSync(join(lake, "_sluice/pipeline=test/latest.json"), "utf8")
      assert.include(shown, receipt.run_id)
      const replayed = yield* Stream.runCollect(Pipeline.replay(pipeline, { vault, ledger }))
      assert.deepStrictEqual(
        replayed.map(({ result, runId }) => [runId, result]),
        [lost, { receipt }].map(({ receipt }) => [receipt.run_id, "unchanged"])
      )
      assert.strictEqual(readFileSync(join(lake, "_sluice/pipeline=test/latest.json"), "utf8"), shown)
    })
  )

  it.live("passes over a run that has not ended, and lands it as incomplete if it is named", () =>
    Effect.gen(function* () {
      const vault = Directory.vault({ path: yield* folder })
      const reached = yield* Deferred.make<void>()
      const sink = memorySink({
        before: (_, nth) =>
          nth === 4 ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
      })
      const { attempt, ledger, pipeline } = yield* setting({}, { vault, sink })
      const running = yield* Effect.forkChild(attempt())
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(running)
      const [open] = yield* ledger.runs({ limit: 1 })
      const lost = makeLedgerMemory()
      const target = memorySink()
      const rebuilt = Pipeline.make({ ...pipeline, expect: undefined, quarantine: undefined, sinks: [target.sink] })
      const [passed] = yield* Stream.runCollect(Pipeline.replay(rebuilt, { vault, ledger: lost }))
      assert.deepStrictEqual(passed, { runId: open!.runId, result: "open", outcome: Option.none() })
      assert.isEmpty(yield* lost.runs({ limit: 1 }))
      const [named] = yield* Stream.runCollect(Pipeline.replay(rebuilt, { vault, ledger: lost, runs: [open!.runId] }))
      assert.strictEqual(named?.result, "loaded")
      const { receipt } = Option.getOrThrow(named!.outcome)
      assert.strictEqual(receipt.status, "incomplete")
      assert.isAtLeast(target.pages.size, 30)
    })
  )

  it.live("goes on where one was cut off, and ends as if it had not been", () =>
    Effect.gen(function* () {
      const vault = Directory.vault({ path: yield* folder })
      const { attempt, pipeline } = yield* setting({}, { vault })
      const { receipt } = yield* attempt()
      const fresh = makeLedgerMemory()
      let fails = true
      const target = memorySink({
        before: (_, nth) => (fails && nth === 4 ? Effect.fail(sinkFailure(false)) : Effect.void)
      })
      const rebuilt = Pipeline.make({ ...pipeline, expect: undefined, quarantine: undefined, sinks: [target.sink] })
      const replay = Effect.map(
        Stream.runCollect(Pipeline.replay(rebuilt, { vault, ledger: fresh })),
        ([first]) => first
      )
      assert.strictEqual((yield* replay)?.result, "failed")
      fails = false
      assert.strictEqual((yield* replay)?.result, "loaded")
      assert.strictEqual(target.pages.size, 90)
      assert.lengthOf(
        target.written.flatMap(({ records }) => records),
        90 + 10
      )
      assert.deepStrictEqual((yield* fresh.runs({ limit: 1 }))[0]?.receipt, receipt)
    })
  )

  it.live("refuses a vault from which something is missing, or in which something has been changed", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const vault = Directory.vault({ path })
      const { attempt, pipeline } = yield* setting({}, { vault })
      yield* attempt()
      const objects = [...filesOf(path).keys()].filter((key) => key.includes("/answers/"))
      const [changed, removed] = objects.map((key) => join(path, key))
      const replay = () =>
        Stream.runCollect(
          Pipeline.replay(
            Pipeline.make({ ...pipeline, expect: undefined, quarantine: undefined, sinks: [memorySink().sink] }),
            { vault, ledger: makeLedgerMemory() }
          )
        ).pipe(Effect.map(([first]) => Option.getOrThrow(first!.outcome).receipt.reason))
      const bytes = readFileSync(changed!)
      writeFileSync(changed!, Buffer.concat([bytes, Buffer.from("x")]))
      assert.include(yield* replay(), "answers that were kept have been changed since")
      writeFileSync(changed!, bytes)
      rmSync(removed!)
      assert.include(yield* replay(), "answers that were kept are not there")
      const note = [...filesOf(path).keys()].find((key) => key.includes("/segment-0001-000002"))
      rmSync(join(path, note!))
      const refused = yield* Effect.flip(replay())
      assert.include(refused.message, "the vault lacks segment 2 of run")
    })
  )
})

const withoutAnswer = <R extends { readonly answer?: unknown }>({ answer: _, ...record }: R) => record
