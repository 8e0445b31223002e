import { assert, describe, it } from "@effect/vitest"
import { Batch, Crawl, makeLedgerMemory, type PageRecord, Pipeline, type RunOptions } from "@sluice/core"
import { batchHistory, crawlHistory, makeSite, type SentItem } from "@sluice/testkit"
import { Effect, Layer, Logger } from "effect"
import { type MemorySink, memorySink, sinkFailure } from "./MemorySink.ts"
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

describe("results the contract does not fit", () => {
  it.live("land with what cannot be read null, beside what it was", () =>
    Effect.gen(function* () {
      const misshapen = (item: SentItem) => {
        if (item.url === pageAt(7)) return { ...item, depth: "two", metadata: { duration_ms: 1.5, http_status: "200" } }
        if (item.url !== pageAt(9)) return item
        const { error_code: _code, links: _links, parent_url: _parent, ...rest } = item
        return { ...rest, status: "Completed" }
      }
      const { receipt, sink, warnings } = yield* crawl(misshapen)
      assert.deepInclude(receipt, { status: "completed", drift: ["depth (unreadable)"] })
      assert.deepStrictEqual([receipt.pages.delivered, sink.pages.size, sink.letters.length], [120, 120, 0])
      const [seventh, ninth] = [7, 9].map((at) => [...sink.pages.values()].find(({ url }) => url === pageAt(at)))
      const odd = {
        depth: null,
        extra: { depth: "two" },
        unread: ["depth"],
        httpStatus: 200,
        durationMs: 2,
        tokensCharged: null
      }
      assert.deepInclude(seventh, odd)
      assert.deepInclude(ninth, { status: "completed", links: [], parentUrl: null, errorCode: null, extra: null })
      assert.lengthOf(warnings, 1)
      assert.match(warnings[0]!, /kept with their pages: depth \(unreadable\)$/)
    })
  )

  it.live("keep what cannot be read also where drift is ignored", () =>
    Effect.gen(function* () {
      const { receipt, sink } = yield* crawl(
        of(pageAt(7), (item) => ({ ...item, cached: true, depth: "two", metadata: { duration_ms: {}, region: 1 } })),
        { drift: "ignore" }
      )
      assert.deepInclude(receipt, {
        status: "completed",
        drift: ["depth (unreadable)", "metadata.duration_ms (unreadable)"]
      })
      const seventh = [...sink.pages.values()].find(({ url }) => url === pageAt(7))
      assert.deepStrictEqual(seventh?.extra, { depth: "two", metadata: { duration_ms: {} } })
    })
  )

  it.live("are known in a batch by their place, or by a URL that was asked for once", () =>
    Effect.gen(function* () {
      const urls = [pageAt(1), pageAt(2), pageAt(3), pageAt(3), "https://SITE.test"]
      const misshapen = (item: SentItem) => {
        if (item.input_index === 0) return { ...item, url: {} }
        if (item.input_index === 1) return { ...item, input_index: "1" }
        if (item.input_index === 4) return { ...item, input_index: null, url: "https://site.test/" }
        return item.input_index === 3 ? { ...item, data: "none" } : item
      }
      const { receipt, sink } = yield* crawl(misshapen, { source: Batch.make({ urls }) })
      assert.deepInclude(receipt, { status: "completed", drift: ["data (unreadable)", "url (unreadable)"] })
      assert.deepStrictEqual([...sink.pages.values()].map(({ inputIndex, url }) => [inputIndex, url]).toSorted(), [
        [0, pageAt(1)],
        [1, pageAt(2)],
        [2, pageAt(3)],
        [3, pageAt(3)],
        [4, "https://site.test/"]
      ])
    })
  )
})

describe("results that cannot be counted", () => {
  const rawOf = (sink: MemorySink) => sink.letters.map(({ refusal }) => JSON.parse(refusal?.raw ?? ""))

  it.live("become dead letters with what they were, and the run is incomplete", () =>
    Effect.gen(function* () {
      for (const [change, detail] of [
        [(item: SentItem) => ({ ...item, url: 7 }), "it does not say which page it is"],
        [({ url: _, ...item }: SentItem) => item, "it does not say which page it is"],
        [(item: SentItem) => ({ ...item, status: "done" }), "it does not say how it ended"],
        [() => null, "it does not say how it ended"],
        [() => ["a"], "it does not say how it ended"]
      ] as const) {
        const { receipt, simulator, sink } = yield* crawl(of(pageAt(3), change))
        assert.deepInclude(receipt, { status: "incomplete", drift: ["results (uncountable)"] })
        assert.match(receipt.reason ?? "", /holds 1 results that do not say which page they are or how it ended/)
        assert.deepStrictEqual([sink.pages.size, sink.letters.length, receipt.pages.delivered], [119, 1, 120])
        assert.deepStrictEqual(
          sink.letters.map(({ refusal }) => refusal?.detail),
          [detail]
        )
        assert.strictEqual(simulator.charges.received("POST"), 1)
      }
    })
  )

  it.live("are as many dead letters as there are results", () =>
    Effect.gen(function* () {
      const { receipt, sink } = yield* crawl((item) =>
        `${item.url}`.endsWith("5") ? null : { ...item, url: undefined }
      )
      assert.strictEqual(receipt.status, "incomplete")
      assert.deepStrictEqual([sink.pages.size, sink.letters.length], [0, 120])
      assert.lengthOf(
        rawOf(sink).filter((raw) => raw === null),
        12
      )
    })
  )

  it.live("are those of a batch whose place is missing where a URL was asked for twice", () =>
    Effect.gen(function* () {
      const { receipt, sink } = yield* crawl(({ input_index: _, ...item }) => item, {
        source: Batch.make({ urls: [pageAt(3), pageAt(4), pageAt(3)] })
      })
      assert.strictEqual(receipt.status, "incomplete")
      assert.deepStrictEqual([sink.pages.size, sink.letters.length], [1, 2])
    })
  )

  it.live("are no dead letters where the API says in the end which page they are", () =>
    Effect.gen(function* () {
      let reads = 0
      const { receipt, sink } = yield* crawl(
        of(pageAt(3), (item) => (reads++ < 2 ? { ...item, status: "rendering" } : item))
      )
      assert.deepInclude(receipt, { status: "completed" })
      assert.deepStrictEqual([sink.pages.size, sink.letters.length], [120, 0])
    })
  )

  it.live("are not delivered again by a resumed run, which stays incomplete", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      // The first attempt breaks off once a dead letter is committed.
      const life = { letters: 0, broke: false }
      const sink = memorySink({
        before: (segment) =>
          Effect.suspend(() => {
            if (life.letters > 0 && !life.broke) {
              life.broke = true
              return Effect.fail(sinkFailure(false))
            }
            if (segment.records.some(({ refusal }) => refusal !== null)) life.letters++
            return Effect.void
          })
      })
      const odd = (item: SentItem) =>
        item.url === pageAt(3) || item.url === pageAt(117) ? { ...item, url: null } : item
      const { attempt, receipt } = yield* crawl(odd, {}, { ledger, segmentRecords: 1 }, sink)
      assert.strictEqual(receipt.status, "failed")
      assert.lengthOf(sink.letters, 1)
      const again = yield* attempt()
      assert.deepInclude(again.receipt, { status: "incomplete", run_id: receipt.run_id })
      assert.deepStrictEqual([sink.pages.size, sink.letters.length], [118, 2])
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
      const sink = memorySink({ before: (_, nth) => (nth === 5 ? Effect.fail(sinkFailure(false)) : Effect.void) })
      const options = { ledger, segmentRecords: 10 }
      const { attempt, receipt } = yield* crawl(of(pageAt(5), drifting), {}, options, sink)
      assert.deepInclude(receipt, { status: "failed", drift: ["cached", "metadata.region"] })
      const { receipt: again } = yield* attempt()
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

describe("a share of records in quarantine", () => {
  const numberOf = ({ url }: PageRecord) => Number(/\d+$/.exec(url)?.[0] ?? 1)
  /** A sink that refuses every nth page. */
  const every = (nth: number) => memorySink({ refuses: (record) => numberOf(record) % nth === 0 })
  const asSent = (item: SentItem) => item

  it.live("keeps a run from being published, by a bound that is on where none is named; the run is loaded whole", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const sink = every(5)
      const { attempt, pipeline, receipt, simulator } = yield* crawl(asSent, {}, { ledger, segmentRecords: 20 }, sink)
      const aside = sink.letters.length
      assert.deepInclude(receipt, {
        status: "failed",
        reason: `sink "memory" put ${aside} of 120 records in quarantine, and "quarantine" allows a share of 0.1: see "sluice dlq list"`,
        unpublished: { guard: "quarantine", sinks: [{ name: "memory", readers: "it is not published there" }] }
      })
      assert.strictEqual(sink.pages.size + aside, 120)
      assert.strictEqual(sink.published, 0)
      // It has ended: nothing resumes it.
      assert.isUndefined(yield* ledger.open({ runId: receipt.run_id }))
      const { result } = yield* Pipeline.publish(pipeline, { runId: receipt.run_id, ledger })
      assert.strictEqual(result, "published")
      assert.strictEqual(sink.published, 1)
      const next = yield* attempt({ quarantine: "off" })
      assert.deepInclude(next.receipt, { status: "completed" })
      assert.notStrictEqual(next.receipt.run_id, receipt.run_id)
      assert.strictEqual(simulator.charges.jobs.length, 2)
    })
  )

  it.live("is judged over all attempts of a run, and over each sink", () =>
    Effect.gen(function* () {
      const ledger = makeLedgerMemory()
      const sink = memorySink({
        refuses: (record) => numberOf(record) % 5 === 0,
        before: (_, nth) => (nth === 4 ? Effect.fail(sinkFailure(false)) : Effect.void)
      })
      const options = { ledger, segmentRecords: 20 }
      const quarantine = { max_share: 0.15, min_records: 100 }
      const { attempt, receipt } = yield* crawl(asSent, { quarantine }, options, sink)
      assert.deepInclude(receipt, { status: "failed", reason: 'sink "memory": it broke off' })
      const again = yield* attempt()
      assert.deepInclude(again.receipt, { run_id: receipt.run_id, status: "failed" })
      assert.strictEqual(again.receipt.unpublished?.guard, "quarantine")
    })
  )

  it.live("is not judged before there are enough records, unless it is all of them", () =>
    Effect.gen(function* () {
      const few = yield* crawl(asSent, { quarantine: { max_share: 0, min_records: 121 } }, {}, every(5))
      assert.strictEqual(few.receipt.status, "completed")
      const exact = yield* crawl(asSent, { quarantine: { max_share: 0, min_records: 1 } }, {}, every(1000))
      assert.strictEqual(exact.receipt.status, "completed")
      const all = yield* crawl(asSent, { quarantine: { max_share: 0.5, min_records: 121 } }, {}, every(1))
      assert.match(all.receipt.reason ?? "", /^sink "memory" put all 120 records in quarantine/)
      const allowed = yield* crawl(asSent, { quarantine: { max_share: 1 } }, {}, every(1))
      assert.strictEqual(allowed.receipt.status, "completed")
      const off = yield* crawl(asSent, { quarantine: "off" }, {}, every(1))
      assert.strictEqual(off.receipt.status, "completed")
    })
  )

  it.live("is the standard one at 10 % of at least 20 records", () =>
    Effect.gen(function* () {
      const first = (n: number, bad: number) =>
        crawl(
          asSent,
          { source: Batch.make({ urls: Array.from({ length: n }, (_, at) => pageAt(at + 1)) }) },
          {},
          memorySink({ refuses: (record) => numberOf(record) <= bad })
        )
      assert.strictEqual((yield* first(20, 2)).receipt.status, "completed")
      assert.strictEqual((yield* first(20, 3)).receipt.unpublished?.guard, "quarantine")
      assert.strictEqual((yield* first(19, 18)).receipt.status, "completed")
      assert.strictEqual((yield* first(19, 19)).receipt.unpublished?.guard, "quarantine")
    })
  )

  it.live("does not count towards what is expected, whatever of it", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [Parts["expect"], string | undefined]> = [
        [{ min_pages: 61 }, undefined],
        [{ min_pages: 62 }, "expectation min_pages: at least 62 completed pages were expected, and there are 61"],
        [{ required: ["markdown"] }, undefined],
        [{ max_failed_share: 0 }, undefined]
      ]
      for (const [expect, reason] of cases) {
        const { receipt } = yield* crawl(asSent, { quarantine: "off", expect }, {}, every(2))
        assert.strictEqual(receipt.reason, reason)
      }
      const none = yield* crawl(asSent, { quarantine: "off", expect: { required: ["markdown"] } }, {}, every(1))
      assert.strictEqual(
        none.receipt.reason,
        "expectation required: markdown was expected, and there is no completed page"
      )
    })
  )
})
