import { assert, describe, it } from "@effect/vitest"
import { makeLedgerMemory, Pipeline, SiteMap } from "@sluice/core"
import { makeSite, type SimulatorOptions } from "@sluice/testkit"
import { Effect, Stream } from "effect"
import { memorySink } from "./MemorySink.ts"
import { atOnce, simulated, urlsOf } from "./simulated.ts"

const site = makeSite({ pages: 30 })
const all = site.pages.slice(0, 30).map(({ url }) => url)
const url = "https://site.test/"

const map = Effect.fnUntraced(function* (
  options: Parameters<typeof SiteMap.records>[0],
  simulator: SimulatorOptions = { site }
) {
  const api = yield* simulated(simulator)
  return { records: SiteMap.records(options, atOnce).pipe(Stream.provide(api.layer)), ...api }
})

describe("SiteMap", () => {
  it.live("alone gives one record: the site with its URLs as links", () =>
    Effect.gen(function* () {
      const { records, simulator } = yield* map({ url })
      const pages = yield* Stream.runCollect(records)
      assert.strictEqual(pages.length, 1)
      assert.deepInclude(pages[0], { url, links: all, status: "completed", markdown: null, tokensCharged: null })
      assert.match(pages[0]?.jobId ?? "", /^sync-/)
      assert.deepStrictEqual([simulator.charges.received("POST"), simulator.charges.tokens], [1, 0])
    })
  )

  it.live("streams plain URLs, those that were searched for", () =>
    Effect.gen(function* () {
      const { layer } = yield* simulated({ site })
      const urls = yield* Stream.runCollect(SiteMap.urls({ url, search: "P/2" })).pipe(Effect.provide(layer))
      assert.deepStrictEqual(
        urls,
        all.filter((each) => each.includes("p/2"))
      )
    })
  )

  for (const [what, into] of Object.entries({
    "extractions at once": { extract: { mode: "sync" } },
    extractions: { extract: { concurrency: 2 } },
    batches: { batch: { batch_size: 12 } }
  } as const)) {
    it.live(`feeds ${what}`, () =>
      Effect.gen(function* () {
        const { records, simulator } = yield* map({ url, into })
        const pages = yield* Stream.runCollect(records)
        assert.deepStrictEqual(urlsOf(pages), [...all].sort())
        assert.isTrue(pages.every(({ markdown }) => markdown !== null))
        assert.strictEqual(simulator.charges.tokens, 30)
      })
    )
  }

  it.live("feeds nothing where nothing was found", () =>
    Effect.gen(function* () {
      for (const into of [{ extract: {} }, { batch: {} }]) {
        const { records, simulator } = yield* map({ url, into }, { map: () => [] })
        assert.deepStrictEqual(yield* Stream.runCollect(records), [])
        assert.strictEqual(simulator.charges.received("POST"), 1)
      }
    })
  )

  it.live("as a pipeline numbers its submissions, the map being the first", () =>
    Effect.gen(function* () {
      const sink = memorySink()
      const { layer } = yield* simulated({ site })
      const source = SiteMap.make({ url, into: { batch: { batch_size: 12 } } })
      const pipeline = Pipeline.make({ name: "map", source, sinks: [sink.sink] })
      const ledger = makeLedgerMemory()
      const receipt = yield* Effect.provide(Pipeline.run(pipeline, { ledger, reader: atOnce }), layer)
      assert.deepInclude(receipt, { status: "completed" })
      const submissions = yield* Stream.runCollect(ledger.submissions(receipt.run_id))
      assert.deepStrictEqual(
        submissions.map(({ kind, ordinal }) => [ordinal, kind]),
        [
          [0, "map"],
          [1, "batch"],
          [2, "batch"],
          [3, "batch"]
        ]
      )
      assert.deepStrictEqual(
        receipt.jobs.map(({ kind }) => kind),
        ["batch", "batch", "batch"]
      )
      assert.deepInclude(receipt.pages, { completed: 30, delivered: 30 })
      assert.strictEqual(receipt.requests.submitted, 4)
    })
  )

  it.live("fails when the API refuses", () =>
    Effect.gen(function* () {
      const { records, simulator } = yield* map({ url }, { faults: [{ fault: { _tag: "Status", status: 408 } }] })
      const error = yield* Effect.flip(Stream.runDrain(records))
      assert.strictEqual(error.reason._tag, "ScraperError")
      assert.strictEqual(simulator.charges.received("POST"), 1)
    })
  )
})
