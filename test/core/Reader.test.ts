import { assert, describe, it } from "@effect/vitest"
import { isTerminal, type JobStatus } from "@sluice/contract"
import { Batch, Crawl, type PageRecord } from "@sluice/core"
import { KeySet } from "@sluice/core/sink"
import { arbitraryHistory, type MovingHistory, type MovingOptions, movingHistory } from "@sluice/testkit"
import { Deferred, Effect, Exit, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { CurrentSubmissionLog, type SubmissionLog } from "../../packages/core/src/source/SubmissionLog.ts"
import { type Driver, HistoryApi, placeOf } from "./HistoryApi.ts"

const isSoak = process.env.SLUICE_LONG_TESTS !== undefined
/** Histories each property is tried on. */
const numRuns = isSoak ? 20_000 : 300
const seed = 20_262
const firstSlice = 5
const timeout = isSoak ? 3_600_000 : 300_000

/** Tries a property on many samples, and shrinks one that fails. */
const check = <A>(arbitrary: fc.Arbitrary<A>, holds: (sample: A) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const perform = Effect.runPromiseWith(yield* Effect.context())
    const property = fc.asyncProperty(arbitrary, (sample) => perform(holds(sample)))
    yield* Effect.promise(() => fc.assert(property, { seed, numRuns }))
  })

/** What is read: a crawl, or a batch of so many different URLs. */
type Kind = "crawl" | { readonly distinct: number }

const urlsOf = (kind: Kind, { options }: MovingHistory): ReadonlyArray<string> =>
  kind === "crawl"
    ? []
    : Array.from({ length: options.pages }, (_, place) => `https://batch.test/${place % kind.distinct}`)

/** How an attempt is cut off, and which of its segments stand by then. */
interface Cut {
  readonly after: { readonly records: number } | { readonly reads: number }
  readonly segment: number
  readonly stands: ReadonlyArray<boolean>
}

/** A job and all that was ever committed of it. */
interface Case {
  readonly api: HistoryApi
  readonly history: MovingHistory
  readonly kind: Kind
  readonly committed: Array<PageRecord>
}

const caseOf = (history: MovingHistory, driver: Driver, kind: Kind): Case => ({
  api: new HistoryApi(history, driver),
  history,
  kind,
  committed: []
})

/** Reads on from what was committed: to the end, or until it is cut off. Answers what was delivered. */
const attempt = Effect.fnUntraced(function* ({ api, committed, history, kind }: Case, cut?: Cut) {
  const over = yield* Deferred.make<void>()
  const readsBefore = api.reads.length
  api.hanging =
    cut !== undefined && "reads" in cut.after ? { read: readsBefore + cut.after.reads, reached: over } : undefined
  const mostRecords = cut !== undefined && "records" in cut.after ? cut.after.records : Number.POSITIVE_INFINITY
  const journal: SubmissionLog = {
    submit: ({ body, tokens }, post) =>
      api.submissions > 0 ? Effect.succeed(api.jobId) : Effect.map(post(body(tokens)), ({ jobId }) => jobId),
    committed: () =>
      Effect.sync(() => {
        const keys = new KeySet()
        for (const { key } of committed) keys.add(key)
        return keys
      }),
    progress: () => Effect.succeed("continue"),
    unreconciled: (reason) => Effect.fail(reason)
  }
  const urls = urlsOf(kind, history)
  const records = kind === "crawl" ? Crawl.records({ url: "https://moving.test/" }) : Batch.records({ urls })
  const delivered: Array<PageRecord> = []
  let firstAt: number | undefined
  const reading = Stream.runForEach(records, (record) =>
    Effect.suspend(() => {
      if (delivered.length >= mostRecords) return Effect.andThen(Deferred.succeed(over, undefined), Effect.never)
      firstAt ??= api.reads.at(-1)?.poll
      delivered.push(record)
      return Effect.void
    })
  ).pipe(Effect.provide(api.layer(urls)), Effect.provideService(CurrentSubmissionLog, journal))
  const fiber = yield* Effect.forkChild(Effect.raceFirst(reading, Deferred.await(over)))
  while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("5 seconds")
  const exit = yield* Fiber.await(fiber)
  assert.isTrue(Exit.isSuccess(exit), String(exit))

  // answers come at once, so there are as many poll ticks as there are instants of reads
  const reads = api.reads.slice(readsBefore)
  const ticks = new Set(reads.map(({ at }) => at)).size
  assert.isAtMost(reads.length, ticks + 2 * Math.ceil(history.terminal.size / 50))
  return { delivered, firstAt }
})

const assertExactlyOnce = ({ committed, history, kind }: Case) => {
  const place = ({ inputIndex, url }: PageRecord) => (kind === "crawl" ? placeOf(url) : inputIndex!)
  assert.deepStrictEqual(
    committed.map(place).sort((a, b) => a - b),
    Array.from(history.terminal.keys(), placeOf).sort((a, b) => a - b)
  )
  const urls = urlsOf(kind, history)
  const ends = new Map<number, JobStatus>(Array.from(history.terminal, ([url, end]) => [placeOf(url), end]))
  for (const record of committed) {
    assert.strictEqual(record.status, ends.get(place(record)))
    if (kind !== "crawl") assert.strictEqual(record.url, urls[record.inputIndex!])
  }
}

/** Reads to the end, at once or after attempts that were cut off, and commits what the cuts let stand. */
const readThrough = Effect.fnUntraced(function* (given: Case, cuts: ReadonlyArray<Cut> = []) {
  for (const cut of cuts) {
    const { delivered } = yield* attempt(given, cut)
    for (const [index, record] of delivered.entries()) {
      if (cut.stands[Math.floor(index / cut.segment) % cut.stands.length] === true) given.committed.push(record)
    }
  }
  const { delivered, firstAt } = yield* attempt(given)
  given.committed.push(...delivered)
  assertExactlyOnce(given)
  assert.strictEqual(given.api.submissions, 1)
  return firstAt
})

/** Whether the slice a reader looks at first, which is a small one, shows a page that has ended before the job has. */
const showsEarly = ({ at, endsAt }: MovingHistory): boolean =>
  Array.from({ length: endsAt }, (_, poll) => at(poll)!).some(({ rows }) =>
    rows.slice(0, firstSlice).some(({ status }) => isTerminal(status))
  )

const arbitraryDriver: fc.Arbitrary<Driver> = fc.oneof(
  fc.constant("reads" as const),
  fc.record({ millis: fc.integer({ min: 20, max: 10_000 }) })
)

const arbitraryCut: fc.Arbitrary<Cut> = fc.record({
  after: fc.oneof(fc.record({ records: fc.nat(400) }), fc.record({ reads: fc.nat(60) })),
  segment: fc.integer({ min: 1, max: 60 }),
  stands: fc.oneof(
    fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
    // a prefix, as one writer leaves it
    fc.nat(20).map((standing) => Array.from({ length: 500 }, (_, index) => index < standing))
  )
})
const arbitraryCuts = fc.array(arbitraryCut, { minLength: 1, maxLength: 3 })

const arbitraryKind: fc.Arbitrary<Kind> = fc.record({ distinct: fc.integer({ min: 1, max: 400 }) })

describe("a reader of moving jobs", () => {
  it.effect(
    "delivers each page that ended once, the first while the job runs, within its bound of reads",
    () =>
      check(
        fc.record({ history: arbitraryHistory, driver: arbitraryDriver }),
        Effect.fnUntraced(function* ({ driver, history }) {
          const firstAt = yield* readThrough(caseOf(history, driver, "crawl"))
          if (driver === "reads" && showsEarly(history)) assert.isBelow(firstAt!, history.endsAt)
        })
      ),
    timeout
  )

  it.effect(
    "goes on with what was committed, wherever earlier attempts were cut off",
    () =>
      check(
        fc.record({ history: arbitraryHistory, driver: arbitraryDriver, cuts: arbitraryCuts }),
        ({ cuts, driver, history }) => Effect.asVoid(readThrough(caseOf(history, driver, "crawl"), cuts))
      ),
    timeout
  )

  it.effect(
    "tells URLs of a batch that are named twice apart, across attempts too",
    () =>
      check(
        fc.record({ history: arbitraryHistory, driver: arbitraryDriver, kind: arbitraryKind, cuts: arbitraryCuts }),
        ({ cuts, driver, history, kind }) => Effect.asVoid(readThrough(caseOf(history, driver, kind), cuts))
      ),
    timeout
  )

  // Found by the properties above; the seeds are those of the histories.
  const named = (options: Partial<MovingOptions>): MovingHistory =>
    movingHistory({
      seed: 1,
      pages: 1,
      steps: 1,
      pollsPerStep: 1,
      order: "discovery",
      listing: "all",
      end: "completed",
      failedShare: 0,
      cancelledShare: 0,
      stuck: 0,
      staleShare: 0,
      repeatedShare: 0,
      shortShare: 0,
      tornShare: 0,
      unrestAfterEnd: 0,
      ...options
    })

  it.effect("waits for pages that lag behind the counters of a job that has ended", () =>
    readThrough(caseOf(named({ seed: 0, tornShare: 1, unrestAfterEnd: 2 }), { millis: 10_000 }, "crawl"))
  )
})
