import { assert, describe, it } from "@effect/vitest"
import { Batch, Crawl, Extract, makeLedgerMemory, Pipeline, type Receipt, SiteMap } from "@sluice/core"
import { batchHistory, crawlHistory, type MisbehaviourName, makeSite } from "@sluice/testkit"
import { Effect } from "effect"
import { type MemorySink, memorySink } from "./MemorySink.ts"
import { atOnce, simulated } from "./simulated.ts"

const site = makeSite({ pages: 40, seed: 5 })
const all = site.pages.slice(0, 40).map(({ url }) => url)
const urls = all.slice(1, 21)

const sources = {
  crawl: Crawl.make({ url: site.url }),
  batch: Batch.make({ urls }),
  async: Extract.make({ urls, concurrency: 2 }),
  sync: Extract.make({ urls, concurrency: 2, mode: "sync" }),
  map: SiteMap.make({ url: site.url }),
  mapped: SiteMap.make({ url: site.url, into: { batch: {} } })
} as const
type Source = keyof typeof sources

/** What a run has to come to. */
interface Expected {
  readonly status: Receipt["status"]
  /** Pages in the sink, and dead letters beside them. */
  readonly pages: number
  readonly letters?: number
  readonly posts: number
  /** How many of the pages failed. */
  readonly failed?: number
  readonly drift?: RegExp
  readonly notes?: RegExp
  readonly reason?: RegExp
  readonly tokens?: number
  readonly also?: (sink: MemorySink, receipt: Receipt) => void
}

const whole = (pages: number, more: Partial<Expected> = {}): Expected => ({
  status: "completed",
  pages,
  posts: 1,
  tokens: pages,
  ...more
})

const odd = /depth \(unreadable\)|metadata\.duration_ms \(unreadable\)/
const refusal =
  /^https:\/\/site\.test\/p\/3 was refused and counts as a failed page: .*The host of this URL does not resolve/

const cases: ReadonlyArray<readonly [MisbehaviourName, Source, Expected]> = [
  ["bare-results", "crawl", whole(40)],
  ["bare-results", "batch", whole(20)],
  ["null-metadata", "crawl", whole(40)],
  [
    "float-durations",
    "crawl",
    whole(40, {
      also: (sink) => assert.isTrue([...sink.pages.values()].every(({ durationMs }) => Number.isInteger(durationMs)))
    })
  ],
  [
    "numbers-as-text",
    "crawl",
    whole(40, { also: (sink) => assert.isTrue([...sink.pages.values()].every(({ httpStatus }) => httpStatus === 200)) })
  ],
  ["numbers-as-text", "batch", whole(20)],
  ["depth-from-zero", "crawl", whole(40)],
  ["mistyped-members", "crawl", whole(40, { drift: odd })],
  ["mistyped-members", "batch", whole(20, { drift: odd })],
  [
    "results-without-url",
    "crawl",
    { status: "incomplete", pages: 39, letters: 1, posts: 1, reason: /do not say which page they are/ }
  ],
  [
    "results-without-url",
    "batch",
    { status: "incomplete", pages: 19, letters: 1, posts: 1, reason: /do not say which page they are/ }
  ],
  [
    "unknown-states",
    "crawl",
    { status: "incomplete", pages: 39, letters: 1, posts: 1, reason: /do not say which page they are or how it ended/ }
  ],
  ["no-data", "crawl", { status: "failed", pages: 40, posts: 1, reason: /none of the 40 completed pages/ }],
  ["all-cancelled", "crawl", { status: "incomplete", pages: 40, posts: 1, reason: /cancelled all 40 pages/ }],
  ["all-cancelled", "batch", { status: "incomplete", pages: 20, posts: 1, reason: /cancelled all 20 pages/ }],
  [
    "pending-at-end",
    "crawl",
    whole(37, { tokens: 40, notes: /counts 40 discovered pages, and ended with 37 of them/ })
  ],
  [
    "pending-at-end",
    "batch",
    { status: "incomplete", pages: 17, posts: 1, reason: /counts 20 pages and 17 could be read/ }
  ],
  ["missing-counters", "crawl", whole(40)],
  ["missing-counters", "batch", whole(20)],
  ["counters-as-text", "crawl", whole(40)],
  ["counters-as-text", "batch", whole(20)],
  ["other-job", "crawl", whole(40)],
  ["other-job", "batch", whole(20)],
  ["bare-acceptance", "crawl", whole(40)],
  ["bare-acceptance", "batch", whole(20)],
  ["refused-url-422", "async", whole(20, { posts: 20, failed: 1, tokens: 19, notes: refusal })],
  ["refused-url-400", "async", whole(20, { posts: 20, failed: 1, tokens: 19, notes: refusal })],
  ["refused-url-422", "sync", whole(20, { posts: 20, failed: 1, tokens: 19, notes: refusal })],
  ["refused-url-400", "sync", whole(20, { posts: 20, failed: 1, tokens: 19, notes: refusal })],
  ["refused-batch-url", "batch", whole(20, { posts: 2, failed: 1, tokens: 19, notes: refusal })],
  [
    "invalid-urls-as-objects",
    "batch",
    whole(20, {
      failed: 2,
      tokens: 18,
      notes: /p\/7 was refused and counts as a failed page: The host does not resolve/
    })
  ],
  ["no-input-index", "batch", whole(20)],
  [
    "page-at-once",
    "async",
    whole(20, {
      posts: 20,
      also: (sink) => assert.isTrue([...sink.pages.values()].every(({ markdown }) => markdown === "# At once"))
    })
  ],
  [
    "bare-page",
    "sync",
    whole(20, {
      posts: 20,
      also: (sink) => assert.isTrue([...sink.pages.values()].every(({ errorCode }) => errorCode === null))
    })
  ],
  ["bare-extraction", "async", whole(20, { posts: 20 })],
  [
    "map-fails",
    "map",
    { status: "failed", pages: 0, posts: 1, reason: /could not map https:\/\/site\.test\/: The site does not answer/ }
  ],
  ["map-fails", "mapped", { status: "failed", pages: 0, posts: 1, reason: /The site does not answer/ }],
  ["map-warns", "map", whole(1, { tokens: 0, notes: /the map of https:\/\/site\.test\/: The sitemap was cut short/ })],
  ["map-finds-nothing", "map", { status: "failed", pages: 0, posts: 1, reason: /found no URL.*allow_empty/ }],
  ["map-finds-nothing", "mapped", { status: "failed", pages: 0, posts: 1, reason: /found no URL.*allow_empty/ }],
  [
    "map-odd-links",
    "map",
    whole(1, { tokens: 0, also: (sink) => assert.deepStrictEqual([...sink.pages.values()][0]?.links, all) })
  ],
  ["map-odd-links", "mapped", whole(40, { posts: 2 })],
  ["map-times-out", "map", whole(1, { posts: 3, tokens: 0 })]
]

const run = Effect.fnUntraced(function* (name: MisbehaviourName, source: Source) {
  const { layer, simulator } = yield* simulated({
    site,
    crawl: () => crawlHistory(site, { perPoll: 15 }),
    batch: (request, _) => batchHistory(site, request.urls, { perPoll: 15 }, isInvalid(name)),
    isInvalidUrl: isInvalid(name),
    misbehave: [name]
  })
  const sink = memorySink()
  const pipeline = Pipeline.make({ name: "test", source: sources[source], sinks: [sink.sink] })
  const options = {
    reader: { ...atOnce, settleTime: "30 millis" },
    ledger: makeLedgerMemory(),
    segmentDelayMs: 5
  } as const
  const { receipt } = yield* Pipeline.execute(pipeline, options).pipe(Effect.provide(layer))
  return { receipt, simulator, sink }
})

const isInvalid = (name: MisbehaviourName) => (url: string) => name === "invalid-urls-as-objects" && url.endsWith("7")

describe("an API that", () => {
  for (const [name, source, expected] of cases) {
    it.live(`${name}: ${source}`, () =>
      Effect.gen(function* () {
        const { receipt, simulator, sink } = yield* run(name, source)
        const { also, drift, failed = 0, letters = 0, notes, pages, posts, reason, status, tokens } = expected
        assert.strictEqual(receipt.status, status, receipt.reason)
        assert.deepStrictEqual([sink.pages.size, sink.letters.length], [pages, letters])
        assert.strictEqual(simulator.charges.received("POST"), posts)
        assert.strictEqual([...sink.pages.values()].filter((page) => page.status === "failed").length, failed)
        if (drift === undefined) assert.notMatch((receipt.drift ?? []).join(), /unreadable/)
        else assert.match((receipt.drift ?? []).join(), drift)
        if (notes !== undefined) assert.match((receipt.notes ?? []).join("\n"), notes)
        if (reason === undefined) assert.isUndefined(receipt.reason)
        else assert.match(receipt.reason ?? "", reason)
        if (tokens !== undefined) assert.strictEqual(receipt.tokens.charged, tokens)
        also?.(sink, receipt)
      })
    )
  }
})
