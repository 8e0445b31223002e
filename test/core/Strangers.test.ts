import { assert, describe, it } from "@effect/vitest"
import { Batch, Crawl, Extract, makeLedgerMemory, Pipeline, SiteMap, type Source } from "@sluice/core"
import type { RunStatus } from "@sluice/core/sink"
import type { Paging } from "@sluice/testkit"
import { Clock, Effect, Exit, Fiber, References } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { memorySink } from "./MemorySink.ts"
import { type RefusedPlace, StrangeApi, type StrangeOptions, type Stray, strays } from "./StrangeApi.ts"

const isSoak = process.env.SLUICE_LONG_TESTS !== undefined
const numRuns = isSoak ? 3_000 : 24
const timeout = isSoak ? 3_600_000 : 600_000

const kinds = ["crawl", "batch", "extract", "map into extract", "map into batch"] as const
type Kind = (typeof kinds)[number]

/** What a run over an API has to come to. */
interface Verdict {
  readonly status: RunStatus
  /** Whether every page has to land. */
  readonly whole: boolean
  /** How many do not, where that is known. */
  readonly lacks?: number
}

/** A run against a stranger. */
interface Case {
  readonly kind: Kind
  readonly options: StrangeOptions
}

const sourceOf = (kind: Kind, urls: ReadonlyArray<string>): Source => {
  switch (kind) {
    case "crawl":
      return Crawl.make({ url: "https://strange.test/" })
    case "batch":
      return Batch.make({ urls, batch_size: 40 })
    case "extract":
      return Extract.make({ urls, concurrency: 5 })
    case "map into extract":
      return SiteMap.make({ url: "https://strange.test/", into: { extract: { concurrency: 5 } } })
    case "map into batch":
      return SiteMap.make({ url: "https://strange.test/", into: { batch: { batch_size: 40 } } })
  }
}

const isExtract = (kind: Kind): boolean => kind === "extract" || kind === "map into extract"
const largestJob = ({ kind, options }: Case): number => (kind === "crawl" ? options.pages : Math.min(40, options.pages))

/** Labels a case: what can be recovered has to be, and the others end as what they are. */
const verdictOf = (given: Case): Verdict => {
  const { kind, options } = given
  const fails = (status: RunStatus): Verdict => ({ status, whole: false })
  if (options.locksAt !== undefined) return fails("failed")
  if (options.vanishesAt !== undefined) return fails("incomplete")
  if (options.brokeAt !== undefined) return fails("stopped_budget")
  // A slice of fifty is all that such a server ever shows.
  if (!isExtract(kind) && options.paging === "ignores page" && largestJob(given) > 50) return fails("incomplete")
  if (options.pendingAtEnd !== undefined) return { ...fails("incomplete"), lacks: options.pendingAtEnd }
  // Where nothing else was asked for, nothing was taken on.
  if (options.refused !== undefined && options.pages === 1) return fails("failed")
  return { status: "completed", whole: true }
}

const often = <A>(usual: A, rare: fc.Arbitrary<A>, weight = 4) =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: rare })

const arbitraryPaging: fc.Arbitrary<Paging | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<Paging>("ignores page", "counts from 0", "repeats the last page"),
  fc.record({ rows: fc.constantFrom(10, 7, 1000) }),
  fc.record({ emptyPage: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ cutTo: fc.integer({ min: 5, max: 40 }) })
)

/** Strays in a row that a client has to see through: a proxy between answers for a moment. */
const mostInARow = 3

const arbitraryStrays: fc.Arbitrary<ReadonlyMap<number, Stray>> = fc
  .array(
    fc.tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom(...strays), fc.integer({ min: 1, max: mostInARow })),
    {
      maxLength: 3
    }
  )
  .map(
    (drawn) => new Map(drawn.flatMap(([at, stray, many]) => Array.from({ length: many }, (_, by) => [at + by, stray])))
  )

const arbitraryEnding: fc.Arbitrary<Pick<StrangeOptions, "brokeAt" | "locksAt" | "pendingAtEnd" | "vanishesAt">> =
  fc.oneof(
    { weight: 12, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ vanishesAt: fc.integer({ min: 2, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ locksAt: fc.integer({ min: 2, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ brokeAt: fc.integer({ min: 2, max: 10 }) }) },
    { weight: 1, arbitrary: fc.record({ pendingAtEnd: fc.integer({ min: 1, max: 5 }) }) }
  )

const arbitraryRefused: fc.Arbitrary<RefusedPlace> = fc.record({
  place: fc.nat({ max: 119 }),
  as: fc.constantFrom("422", "listed")
})

const arbitraryCase: fc.Arbitrary<Case> = fc
  .record({
    kind: fc.constantFrom(...kinds),
    pages: fc.integer({ min: 1, max: 120 }),
    takes: fc.integer({ min: 0, max: 300 }),
    lag: often(0, fc.integer({ min: 1, max: 600 }), 1),
    paging: arbitraryPaging,
    stray: arbitraryStrays,
    falls: often(0, fc.integer({ min: 1, max: 300 })),
    refused: often(undefined, arbitraryRefused, 1),
    ending: arbitraryEnding
  })
  .map(({ ending, kind, paging, refused, ...options }): Case => {
    const jobs = isExtract(kind) ? options.pages : kind === "crawl" ? 1 : Math.ceil(options.pages / 40)
    const { brokeAt, pendingAtEnd, ...other } = ending
    return {
      kind,
      options: {
        ...options,
        ...other,
        // A balance that lasts is no case, an extraction is one page, and a crawl that is refused is none.
        ...(brokeAt !== undefined && brokeAt <= jobs ? { brokeAt } : {}),
        ...(pendingAtEnd !== undefined && !isExtract(kind) && pendingAtEnd < options.pages ? { pendingAtEnd } : {}),
        ...(refused !== undefined && kind !== "crawl"
          ? { refused: { ...refused, place: refused.place % options.pages } }
          : {}),
        ...(paging === undefined ? {} : { paging })
      }
    }
  })

/** Runs a pipeline over an API while virtual time passes. */
const runOver = Effect.fnUntraced(function* ({ kind, options }: Case) {
  const api = new StrangeApi(options)
  const sink = memorySink()
  const ledger = makeLedgerMemory()
  const pipeline = Pipeline.make({ name: "strange", source: sourceOf(kind, api.urls), sinks: [sink.sink] })
  const attempt = Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const fiber = yield* Pipeline.execute(pipeline, { ledger, segmentDelayMs: 5 }).pipe(
      Effect.map(({ receipt }) => receipt),
      Effect.provide(api.layer({ giveUpAfter: "30 minutes" })),
      Effect.provideService(References.MinimumLogLevel, "None"),
      Effect.forkChild
    )
    // In ever longer steps: a run that waits for ten minutes is not looked at each second.
    for (let step = 0; fiber.pollUnsafe() === undefined; step++) yield* TestClock.adjust(step < 60 ? 1_000 : 5_000)
    const exit = yield* Fiber.await(fiber)
    assert.isTrue(Exit.isSuccess(exit), String(exit))
    const receipt = yield* Fiber.join(fiber)
    return { receipt, seconds: ((yield* Clock.currentTimeMillis) - startedAt) / 1000 }
  })
  return { api, attempt, ledger, sink }
})

/** No request is submitted twice; a crawl and a map once. */
const assertPaidOnce = ({ posts }: StrangeApi) => assert.strictEqual(new Set(posts).size, posts.length)

const check = Effect.fnUntraced(function* (given: Case) {
  const verdict = verdictOf(given)
  const { api, attempt, sink } = yield* runOver(given)
  const { receipt, seconds } = yield* attempt
  const landed = [...sink.pages.values()].map(({ url }) => url)
  assert.strictEqual(receipt.status, verdict.status, receipt.reason)
  assert.strictEqual(new Set(landed).size, landed.length)
  assert.strictEqual(receipt.pages.delivered, landed.length)
  if (verdict.whole) assert.sameMembers(landed, [...api.urls])
  if (verdict.lacks !== undefined) assert.lengthOf(landed, given.options.pages - verdict.lacks)
  // What was refused is a failed page, and nothing else is.
  const failed = [...sink.pages.values()].filter((page) => page.status === "failed").map(({ url }) => url)
  if (verdict.whole) assert.sameMembers(failed, api.refusals)
  else assert.includeMembers(api.refusals, failed)
  // What was paid for and could be read has landed, and is counted.
  if (verdict.status === "stopped_budget") {
    assert.sameMembers(landed, [...api.jobs.flatMap(({ urls }) => urls), ...api.refusals])
    assert.strictEqual(receipt.tokens.charged, landed.length - api.refusals.length)
  }
  if (receipt.status === "completed" && receipt.pages.delivered !== receipt.pages.discovered) {
    assert.isDefined(receipt.notes)
  }
  assertPaidOnce(api)
  // Half an hour beyond what it takes: no case ends by the deadline of a day.
  assert.isBelow(seconds, (given.options.takes + given.options.lag) * Math.max(3, api.jobs.length) + 3600)
})

describe("a run against strangers", () => {
  it.effect(
    "comes to every page for one payment where that can be, and else says what it is",
    () =>
      Effect.gen(function* () {
        const perform = Effect.runPromiseWith(yield* Effect.context())
        let recoverable = 0
        let drawn = 0
        const property = fc.asyncProperty(arbitraryCase, (given) => {
          drawn++
          if (verdictOf(given).whole) recoverable++
          return perform(check(given))
        })
        yield* Effect.promise(() => fc.assert(property, { seed: 20_264, numRuns }))
        assert.isAtLeast(recoverable / drawn, 0.7)
      }),
    timeout
  )

  const still: StrangeOptions = { pages: 90, takes: 20, lag: 0, stray: new Map() }
  const named: ReadonlyArray<readonly [string, Case]> = [
    ["one stray 404 on a known job", { kind: "crawl", options: { ...still, stray: new Map([[4, "404"]]) } }],
    ["results that lag for ten minutes", { kind: "crawl", options: { ...still, lag: 600 } }],
    ["results of a batch that lag for ten minutes", { kind: "batch", options: { ...still, lag: 600 } }],
    ["ten rows a slice, whatever page_size says", { kind: "crawl", options: { ...still, paging: { rows: 10 } } }],
    ["a thousand rows a slice", { kind: "crawl", options: { ...still, pages: 120, paging: { rows: 1000 } } }],
    ["pages that count from 0", { kind: "crawl", options: { ...still, paging: "counts from 0" } }],
    [
      "a page past the end that repeats the last",
      { kind: "crawl", options: { ...still, paging: "repeats the last page" } }
    ],
    ["an empty slice in the middle", { kind: "crawl", options: { ...still, paging: { emptyPage: 2 } } }],
    ["slices that shrink", { kind: "crawl", options: { ...still, paging: { cutTo: 20 } } }],
    ["counters that fall for a while", { kind: "crawl", options: { ...still, falls: 60 } }],
    [
      "counters that have fallen to what is shown before they are first seen",
      { kind: "crawl", options: { ...still, pages: 3, takes: 0, lag: 5, falls: 60 } }
    ],
    [
      "the balance used up, with extractions in work",
      { kind: "extract", options: { ...still, takes: 40, brokeAt: 21 } }
    ],
    [
      "one URL of an extract that is refused",
      { kind: "extract", options: { ...still, refused: { place: 40, as: "422" } } }
    ],
    [
      "one URL of a batch that is refused by 422",
      { kind: "batch", options: { ...still, refused: { place: 40, as: "422" } } }
    ],
    ["one that a batch lists", { kind: "map into batch", options: { ...still, refused: { place: 3, as: "listed" } } }],
    [
      "the only URL of an extract refused",
      { kind: "extract", options: { ...still, pages: 1, refused: { place: 0, as: "422" } } }
    ],
    ["URLs of a batch that are pending at its end", { kind: "batch", options: { ...still, pendingAtEnd: 3 } }],
    ["pages of a crawl that are pending at its end", { kind: "crawl", options: { ...still, pendingAtEnd: 3 } }],
    ["page ignored: its keys repeat", { kind: "crawl", options: { ...still, paging: "ignores page" } }],
    ["a job that is gone for good", { kind: "crawl", options: { ...still, vanishesAt: 3 } }],
    ["an extraction that is gone for good", { kind: "extract", options: { ...still, pages: 9, vanishesAt: 6 } }],
    ["a key that is refused in the middle", { kind: "batch", options: { ...still, locksAt: 3 } }]
  ]
  for (const [what, given] of named) it.effect(what, () => check(given), timeout)

  it.effect("ends within the named number of sweeps where page is ignored", () =>
    Effect.gen(function* () {
      const { api, attempt } = yield* runOver({ kind: "crawl", options: { ...still, paging: "ignores page" } })
      const { receipt, seconds } = yield* attempt
      assert.strictEqual(receipt.status, "incomplete")
      assert.include(receipt.reason, "50 could be read")
      // The settle time, and a few minutes for the sweeps.
      assert.isBelow(seconds, 20 * 60)
      assert.isBelow(api.reads, 400)
    })
  )
})
