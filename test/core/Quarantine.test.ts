import { assert, describe, it } from "@effect/vitest"
import { Batch, Crawl, makeLedgerMemory, Pipeline, type RunOptions } from "@sluice/core"
import { batchHistory, crawlHistory, makeSite, type SentItem } from "@sluice/testkit"
import { Effect, Layer, Logger } from "effect"
import { type MemorySink, memorySink } from "./MemorySink.ts"
import { atOnce, simulated } from "./simulated.ts"

const site = makeSite({ pages: 120, seed: 5 })
const source = Crawl.make({ url: "https://site.test/" })
const fast = { reader: atOnce, segmentDelayMs: 5 } satisfies RunOptions
const pageAt = (at: number) => `https://site.test/p/${at}`

type Parts = Parameters<typeof Pipeline.make>[0]

/** Runs a pipeline against an API that sends its results reshaped. */
const crawl = Effect.fnUntraced(function* (
  reshape: (item: SentItem) => unknown,
  parts: Partial<Parts> = {},
  options: RunOptions = {},
  sink: MemorySink = memorySink()
) {
  const { layer, simulator } = yield* simulated({
    site,
    crawl: () => crawlHistory(site, { perPoll: 40 }),
    batch: (request) => batchHistory(site, request.urls, { perPoll: 40 }),
    reshape: reshape as (item: SentItem) => SentItem
  })
  const logged: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void logged.push(`${logLevel}: ${message}`))
  const pipeline = Pipeline.make({ name: "test", source, sinks: [sink.sink], ...parts })
  const attempt = (again: Partial<Parts> = {}) =>
    Pipeline.execute(Pipeline.make({ name: "test", source, sinks: [sink.sink], ...parts, ...again }), {
      ...fast,
      ...options
    }).pipe(Effect.provide(Layer.merge(layer, Logger.layer([logger]))))
  const outcome = yield* attempt()
  return { ...outcome, attempt, pipeline, sink, simulator, warnings: logged.filter((line) => line.startsWith("Warn")) }
})

const of = (url: string, change: (item: SentItem) => unknown) => (item: SentItem) =>
  item.url === url ? change(item) : item

describe("results the contract refuses", () => {
  it.live("are set aside by themselves, counted, and shown to no transform", () =>
    Effect.gen(function* () {
      const misshapen = (item: SentItem) => {
        if (item.url === pageAt(7)) return { ...item, depth: "two" }
        if (item.url !== pageAt(9)) return item
        const { links: _, ...rest } = item
        return rest
      }
      const { receipt, sink } = yield* crawl(misshapen, {
        transforms: [{ config: { map: "none" }, apply: (record) => (record.url === pageAt(7) ? null : record) }]
      })
      assert.deepInclude(receipt, { status: "completed" })
      assert.strictEqual(receipt.pages.delivered, 120)
      assert.strictEqual(sink.pages.size, 118)
      const [seventh, ninth] = sink.letters.toSorted((a, b) => (a.url < b.url ? -1 : 1))
      assert.deepInclude(seventh, { url: pageAt(7), status: "completed", markdown: null, links: [] })
      assert.strictEqual(seventh?.refusal?.detail, 'it does not fit the contract: ["depth"]')
      assert.strictEqual(ninth?.refusal?.detail, 'it does not fit the contract: ["links"]')
      assert.strictEqual(JSON.parse(seventh?.refusal?.raw ?? "").depth, "two")
      assert.strictEqual(receipt.sinks[0]?.dead_letters, 2)
    })
  )

  it.live("are told apart in a batch by their place, or by a URL that was asked for once", () =>
    Effect.gen(function* () {
      const urls = [pageAt(1), pageAt(2), pageAt(3), pageAt(3)]
      const misshapen = (item: SentItem) => {
        if (item.input_index === 0) return { ...item, url: 7 }
        if (item.input_index === 1) return { ...item, input_index: "one" }
        return item.input_index === 3 ? { ...item, data: "none" } : item
      }
      const { receipt, sink } = yield* crawl(misshapen, { source: Batch.make({ urls }) })
      assert.deepInclude(receipt, { status: "completed" })
      assert.deepStrictEqual(
        sink.letters.map(({ inputIndex, refusal, url }) => [url, inputIndex, refusal?.detail]).toSorted(),
        [
          [pageAt(1), 0, 'it does not fit the contract: ["url"]'],
          [pageAt(2), 1, 'it does not fit the contract: ["input_index"]'],
          [pageAt(3), 3, 'it does not fit the contract: ["data"]']
        ]
      )
      assert.strictEqual(sink.pages.size, 1)
    })
  )

  it.live("fail the answer where they do not say which page they are, or how it ended", () =>
    Effect.gen(function* () {
      for (const change of [
        (item: SentItem) => ({ ...item, url: 7 }),
        (item: SentItem) => ({ ...item, status: "done" }),
        () => null
      ]) {
        const { receipt } = yield* crawl(of(pageAt(3), change))
        assert.strictEqual(receipt.status, "failed")
        assert.match(
          receipt.reason ?? "",
          /it does not fit the contract: \["results"\]\[3\] does not say which page it is and how it ended/
        )
      }
      const { receipt } = yield* crawl((item) => item, {
        source: Batch.make({ urls: [pageAt(3), pageAt(3)] })
      })
      assert.strictEqual(receipt.status, "completed")
      const twice = yield* crawl(({ input_index: _, ...item }) => item, {
        source: Batch.make({ urls: [pageAt(3), pageAt(3)] })
      })
      assert.strictEqual(twice.receipt.status, "failed")
    })
  )
})

describe("drift", () => {
  const drifting = (item: SentItem) =>
    item.url === pageAt(5) || item.url === pageAt(90)
      ? { ...item, cached: true, metadata: { ...(item.metadata as object), region: item.url } }
      : item

  it.live("is kept, and told once", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const sink = memorySink()
      const { receipt, warnings } = yield* crawl(drifting, {}, { ledger, segmentRecords: 10 }, sink)
      assert.deepStrictEqual(receipt.drift, ["cached", "metadata.region"])
      assert.lengthOf(warnings, 1)
      assert.match(warnings[0]!, /kept with their pages: cached, metadata\.region$/)
      const kept = [...sink.pages.values()].filter(({ extra }) => extra !== null)
      assert.deepStrictEqual(kept.map(({ extra, url }) => [url, extra]).toSorted(), [
        [pageAt(5), { cached: true, metadata: { region: pageAt(5) } }],
        [pageAt(90), { cached: true, metadata: { region: pageAt(90) } }]
      ])
      assert.deepStrictEqual((yield* ledger.state(receipt.run_id)).drift, ["cached", "metadata.region"])
    })
  )

  it.live("is told by a run whose earlier attempt has met it", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const poisoned = (item: SentItem) =>
        Number(/\d+$/.exec(`${item.url}`)?.[0] ?? 1) > 40 ? { ...item, depth: null } : of(pageAt(5), drifting)(item)
      const options = { ledger, segmentRecords: 10 }
      const { attempt, receipt } = yield* crawl(poisoned, { quarantine: { max_share: 0, min_records: 40 } }, options)
      assert.deepInclude(receipt, { status: "failed", drift: ["cached", "metadata.region"] })
      const { receipt: again } = yield* attempt({ quarantine: undefined })
      assert.deepInclude(again, { status: "completed", run_id: receipt.run_id, drift: ["cached", "metadata.region"] })
    })
  )

  it.live("is left out where it is ignored, without a word", () =>
    Effect.gen(function* () {
      const { receipt, sink, warnings } = yield* crawl(drifting, { drift: "ignore" })
      assert.strictEqual(receipt.status, "completed")
      assert.isUndefined(receipt.drift)
      assert.deepStrictEqual(warnings, [])
      assert.isTrue([...sink.pages.values()].every(({ extra }) => extra === null))
    })
  )

  it.live("ends a run that is to fail of it before it is written, and the run goes on under another policy", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const sink = memorySink()
      const options = { ledger, segmentRecords: 10 }
      const { attempt, receipt, simulator } = yield* crawl(drifting, { drift: "fail" }, options, sink)
      assert.strictEqual(receipt.status, "failed")
      assert.match(
        receipt.reason ?? "",
        /^the API's results have members .*\(cached, metadata\.region\).*"drift: fail"/
      )
      assert.isTrue([...sink.pages.values()].every(({ extra }) => extra === null))
      const again = yield* attempt({ drift: "keep" })
      assert.deepInclude(again.receipt, { status: "completed", run_id: receipt.run_id })
      assert.strictEqual(sink.pages.size, 120)
      assert.strictEqual(simulator.charges.jobs.length, 1)
    })
  )

  it.live("is no more than a list of bounded length, whatever the API makes up", () =>
    Effect.gen(function* () {
      const { receipt } = yield* crawl((item) => ({ ...item, [`${item.url}\0\n${"x".repeat(500)}`]: 1 }))
      assert.strictEqual(receipt.status, "completed")
      assert.lengthOf(receipt.drift ?? [], 100)
      for (const name of receipt.drift ?? []) assert.match(name, /^[^\p{Cc}]{1,100}$/u)
    })
  )
})

describe("a share of records set aside", () => {
  const every = (nth: number) => (item: SentItem) =>
    Number(/\d+$/.exec(`${item.url}`)?.[0] ?? 1) % nth === 0 ? { ...item, depth: null } : item

  it.live("fails the run once it is passed, and the run goes on where more is allowed", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const sink = memorySink()
      const options = { ledger, segmentRecords: 20 }
      const quarantine = { max_share: 0.1, min_records: 50 }
      const { attempt, receipt, simulator } = yield* crawl(every(5), { quarantine }, options, sink)
      assert.strictEqual(receipt.status, "failed")
      assert.match(
        receipt.reason ?? "",
        /^sink "memory" has set aside \d+ of \d+ records, more than the share of 0\.1 /
      )
      const aside = sink.letters.length
      assert.isAtLeast(sink.pages.size + aside, 50)
      assert.isBelow(sink.pages.size + aside, 120)
      const stopped = yield* attempt()
      assert.strictEqual(stopped.receipt.status, "failed")
      const again = yield* attempt({ quarantine: { max_share: 0.5 } })
      assert.deepInclude(again.receipt, { status: "completed", run_id: receipt.run_id })
      assert.strictEqual(sink.pages.size + sink.letters.length, 120)
      assert.strictEqual(simulator.charges.jobs.length, 1)
    })
  )

  it.live("is not judged before there are enough records", () =>
    Effect.gen(function* () {
      const few = yield* crawl(every(5), { quarantine: { max_share: 0, min_records: 121 } })
      assert.strictEqual(few.receipt.status, "completed")
      const exact = yield* crawl(every(1000), { quarantine: { max_share: 0, min_records: 1 } })
      assert.strictEqual(exact.receipt.status, "completed")
    })
  )
})
