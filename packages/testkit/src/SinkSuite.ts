import { assert, describe, it } from "@effect/vitest"
import { type Ledger, makeLedgerMemory, type PageRecord, type Sink } from "@sluice/core"
import {
  type JobSnapshot,
  Publication,
  pageKey,
  type RunHandle,
  type Segment,
  type SinkConnection,
  tallyOf
} from "@sluice/core/sink"
import { Effect, type Scope, Stream } from "effect"

/** A page as a reader finds it, with its links in order. */
export interface LoadedPage
  extends Pick<
    PageRecord,
    | "url"
    | "parentUrl"
    | "depth"
    | "inputIndex"
    | "status"
    | "errorCode"
    | "errorMessage"
    | "markdown"
    | "html"
    | "links"
    | "httpStatus"
    | "durationMs"
    | "retryCount"
    | "tokensCharged"
    | "extra"
  > {}

/** All that has landed, in any order. */
export interface LoadedRows {
  readonly pages: ReadonlyArray<LoadedPage>
  readonly summaries: ReadonlyArray<{ readonly jobId: string; readonly tokensCharged: number }>
  readonly deadLetters: ReadonlyArray<{ readonly jobId: string; readonly url: string; readonly reason: string }>
}

/** A sink over an empty store, and how to look at what readers of the store see. */
export interface SinkUnderTest {
  readonly sink: Sink
  readonly read: Effect.Effect<LoadedRows>
  /**
   * What is left of a first run once a second is published. "every version" keeps those of completed pages apart from what
   * readers see now, and writes nothing for a page that did not change.
   */
  readonly keeps: "every delivery" | "the latest" | "the last run" | "every version"
}

/** A record with everything in it that the given fields do not say otherwise. */
export const sampleRecord = (url: string, fields: Partial<PageRecord> = {}): PageRecord => ({
  jobId: "job-1",
  key: pageKey(url),
  url,
  inputIndex: null,
  parentUrl: "https://a.example/",
  depth: 2,
  status: "completed",
  errorCode: null,
  errorMessage: null,
  markdown: `# ${url}`,
  html: null,
  links: ["https://a.example/", "https://b.example/?q=1"],
  httpStatus: 200,
  durationMs: 31,
  retryCount: 0,
  tokensCharged: 1,
  extra: null,
  refusal: null,
  bytes: 500,
  ...fields
})

/** A finished job's counters. */
export const sampleSnapshot = (jobId: string, fields: Partial<JobSnapshot> = {}): JobSnapshot => ({
  jobId,
  kind: "crawl",
  url: "https://a.example/",
  status: "completed",
  discovered: 3,
  completed: 3,
  failed: 0,
  cancelled: 0,
  tokensCharged: 3,
  tokensReserved: 0,
  observedAt: 1_750_000_000_000,
  ...fields
})

/** The landed form of a record. */
export const loadedOf = (record: PageRecord): LoadedPage => {
  const { jobId: _job, key: _key, bytes: _bytes, refusal: _refusal, ...loaded } = record
  return loaded
}

const lease = { holder: "host/1/test", durationMs: 60_000 }

/** What a run has read besides the pages that it wrote. */
export interface RunReading {
  /** Whether the pages are all that there are: true when absent. */
  readonly isExhaustive?: boolean
  /** Keys of pages that the run has seen and that were skipped. */
  readonly skipped?: ReadonlyArray<bigint>
}

/** One run that writes segments through a session and commits them in the sink's ledger, or one in memory. */
export const startRun = Effect.fn("SinkSuite.startRun")(function* (
  sink: Sink,
  connection: SinkConnection,
  given: { readonly ledger?: Ledger; readonly run?: RunHandle; readonly startedAt?: number } = {}
) {
  const ledger = given.ledger ?? connection.ledger ?? makeLedgerMemory()
  const { startedAt = 1_750_000_000_000 } = given
  const run = given.run ?? (yield* ledger.begin({ pipeline: "suite", configHash: "h", startedAt }, lease))
  const session = yield* connection.begin(run)
  const segmentOf = (seq: number, records: ReadonlyArray<PageRecord>, jobs?: ReadonlyArray<JobSnapshot>): Segment => ({
    runId: run.runId,
    epoch: run.epoch,
    seq,
    records,
    jobs: jobs ?? [...new Set(records.map(({ jobId }) => jobId))].map((jobId) => sampleSnapshot(jobId)),
    bytes: 1
  })
  const write = (seq: number, records: ReadonlyArray<PageRecord>, jobs?: ReadonlyArray<JobSnapshot>) =>
    session.write(segmentOf(seq, records, jobs), {
      store: ledger.store,
      run: ({ deadLetters, quarantined, rows }, within) =>
        ledger.commit(
          {
            runId: run.runId,
            epoch: run.epoch,
            sink: sink.name,
            seq,
            bytes: 1,
            keys: records.map(({ jobId, key }) => ({ jobId, keys: BigInt64Array.of(key) })),
            jobs: [],
            rows: { ...rows, token_summaries: 0 },
            deadLetters,
            tally: tallyOf(records, quarantined)
          },
          within
        )
    })
  const withPublication = <A, E>(step: Effect.Effect<A, E, Publication>, found: RunReading) =>
    Effect.flatMap(ledger.state(run.runId), ({ jobs, loaded }) =>
      Effect.provideService(step, Publication, publicationOf(found, loaded.get(sink.name)?.tally.completed ?? 0, jobs))
    )
  const publicationOf = (
    found: RunReading,
    completed: number,
    jobs: ReadonlyArray<JobSnapshot>
  ): Publication["Service"] => ({
    store: ledger.store,
    status: "completed",
    completed,
    isDistinct: jobs.length <= 1,
    segments: ledger.committed(run.runId, sink.name),
    seenKeys: Stream.concat(
      Stream.flatMap(ledger.committed(run.runId, sink.name), ({ keys }) =>
        Stream.fromIterable(keys.map((held) => held.keys))
      ),
      Stream.succeed(BigInt64Array.from(found.skipped ?? []))
    ),
    isExhaustive: found.isExhaustive ?? true,
    assertLease: ledger.renew(run, lease)
  })
  const publishAs = (found: RunReading) => withPublication(session.publish, found)
  /** What publishing would take from readers, and whether a run that ended unpublished may still be published. */
  const preview = (found: RunReading = {}) =>
    session.previewPublish === undefined ? Effect.undefined : withPublication(session.previewPublish, found)
  const admitPublish = Effect.suspend(() =>
    session.admitPublish === undefined ? Effect.void : withPublication(session.admitPublish, {})
  )
  return { ledger, run, session, segmentOf, write, publishAs, publish: publishAs({}), preview, admitPublish }
})

const byUrl = (pages: ReadonlyArray<LoadedPage>): ReadonlyArray<LoadedPage> =>
  pages.toSorted((a, b) => (a.url < b.url ? -1 : a.url > b.url ? 1 : `${a.markdown}` < `${b.markdown}` ? -1 : 1))

const assertLanded = (loaded: LoadedRows, records: ReadonlyArray<PageRecord>) =>
  assert.deepStrictEqual(byUrl(loaded.pages), byUrl(records.map(loadedOf)))

/** The records that are no dead letters. A URL that is no Unicode may be read back with replacement characters. */
const withoutDeadLetters = (records: ReadonlyArray<PageRecord>, { deadLetters }: LoadedRows) => {
  const quarantined = new Set(deadLetters.map(({ url }) => url.toWellFormed()))
  return records.filter(({ url }) => !quarantined.has(url.toWellFormed()))
}

/**
 * Declares the tests that every sink passes: idempotent segments in any order, quarantine of what the store cannot hold, a fenced
 * epoch refused, and content byte for byte. `make` returns a sink over a store of its own, in the test's scope.
 *
 * Call it at the top of a Vitest file. A store that can hold NUL bytes or half a surrogate pair lands them as they are; one that
 * cannot makes dead letters of such records. Failures are failed tests.
 *
 * @example
 * ```ts
 * import { type LoadedRows, sinkSuite } from "@sluice/testkit"
 * import { Directory } from "@sluice/sink-s3"
 * import { Effect } from "effect"
 *
 * /** Reads back what the sink has written. *\/
 * declare const readLake: (path: string) => Effect.Effect<LoadedRows>
 *
 * sinkSuite(
 *   "a lake in a directory",
 *   Effect.sync(() => ({ sink: Directory.sink({ path: "lake" }), read: readLake("lake"), keeps: "every delivery" }))
 * )
 * ```
 */
export const sinkSuite = <E>(name: string, make: Effect.Effect<SinkUnderTest, E, Scope.Scope>): void => {
  describe(`${name}: what every sink owes`, () => {
    it.effect("lands the four datasets byte for byte", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const { write, publish } = yield* startRun(sink, yield* sink.connect)
        const records = [
          sampleRecord("https://a.example/1", {
            markdown: "\\N \\. \\t\ttab\r\nline\\\\ \"quote\" 'single', {brace}\u0001"
          }),
          sampleRecord("https://a.example/ünïcode/漢字/😀", {
            markdown: "e\u0301 👩‍👩‍👧 \u{10FFFF} \uFEFF \u2028",
            html: "<p>é</p>"
          }),
          sampleRecord("https://a.example/failed", {
            status: "failed",
            errorCode: "TIMEOUT",
            errorMessage: "the site did not answer",
            markdown: null,
            links: [],
            httpStatus: null,
            durationMs: null,
            retryCount: 2,
            tokensCharged: 0
          }),
          sampleRecord("https://a.example/empty", { markdown: "", parentUrl: null, depth: null, inputIndex: 7 }),
          sampleRecord("https://a.example/big", { markdown: "é".repeat(700_000) })
        ]
        const result = yield* write(0, records)
        assert.deepStrictEqual(result, {
          rows: { pages: 5, links: 8, page_metadata: 5 },
          deadLetters: 0
        })
        yield* publish
        const loaded = yield* read
        assertLanded(loaded, records)
        assert.deepStrictEqual(loaded.summaries, [{ jobId: "job-1", tokensCharged: 3 }])
        assert.deepStrictEqual(loaded.deadLetters, [])
      })
    )

    it.effect("writes a segment twice as if once", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const connection = yield* sink.connect
        const { ledger, run, write } = yield* startRun(sink, connection)
        const records = [
          sampleRecord("https://a.example/1"),
          sampleRecord("https://a.example/2", { markdown: "a\0b" }),
          sampleRecord("https://a.example/3", {
            refusal: { reason: "contract", detail: '["depth"]', raw: '{"url":"https://a.example/3","depth":"two"}' }
          })
        ]
        const first = yield* write(0, records)
        const again = yield* write(0, records)
        assert.deepStrictEqual(again, first)
        // A resumed process has a session of its own.
        const resumed = yield* startRun(sink, connection, { ledger, run })
        assert.strictEqual((yield* resumed.write(0, records)).rows.pages, first.rows.pages)
        yield* resumed.publish
        const loaded = yield* read
        assertLanded(loaded, withoutDeadLetters(records, loaded))
        assert.lengthOf(loaded.deadLetters, first.deadLetters)
        assert.isTrue(loaded.deadLetters.some(({ url }) => url === "https://a.example/3"))
        assert.lengthOf(loaded.summaries, 1)
      })
    )

    it.effect("writes at once the number of segments it declares", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const { session, write, publish } = yield* startRun(sink, yield* sink.connect)
        const segments = Array.from({ length: 6 }, (_, seq) =>
          Array.from({ length: 20 }, (_, n) => sampleRecord(`https://a.example/${seq}/${n}`))
        )
        const results = yield* Effect.forEach(segments, (records, seq) => write(seq, records), {
          concurrency: session.concurrency
        })
        assert.strictEqual(
          results.reduce((sum, { rows }) => sum + rows.pages, 0),
          120
        )
        yield* publish
        assertLanded(yield* read, segments.flat())
      })
    )

    it.effect("takes a segment of snapshots alone, and never an older one for a newer", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const { write, publish } = yield* startRun(sink, yield* sink.connect)
        const at = (observedAt: number, tokensCharged: number) => [
          sampleSnapshot("job-1", { observedAt, tokensCharged })
        ]
        assert.deepStrictEqual((yield* write(0, [], at(2000, 20))).rows, {
          pages: 0,
          links: 0,
          page_metadata: 0
        })
        yield* write(1, [], at(3000, 30))
        yield* write(2, [], at(1000, 10))
        yield* publish
        assert.deepStrictEqual((yield* read).summaries, [{ jobId: "job-1", tokensCharged: 30 }])
      })
    )

    it.effect("quarantines what it cannot hold, and loads the rest", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const { write, publish } = yield* startRun(sink, yield* sink.connect)
        const clean = [
          sampleRecord("https://a.example/twice", { links: ["https://b.example/same", "https://b.example/same"] }),
          sampleRecord(`https://a.example/${"long".repeat(2000)}`, {
            links: [`https://b.example/${randomText(60_000)}`]
          }),
          sampleRecord("https://a.example/copy", { markdown: "\\.\n\\N\t\\\\\n\x07\b\v\f" })
        ]
        const dirty = [
          sampleRecord("https://a.example/nul", { markdown: "before\0after" }),
          sampleRecord("https://a.example/nul-link", { links: ["https://b.example/\0"] }),
          sampleRecord("https://a.example/surrogate", { errorMessage: "half \uD83D of a pair" }),
          sampleRecord("https://a.example/surrogates", { links: ["https://b.example/\uD83D", "\uDE00"] }),
          sampleRecord("https://a.example/surrogate-url-\uDC00")
        ]
        const result = yield* write(0, [dirty[0]!, ...clean, ...dirty.slice(1)])
        yield* publish
        const loaded = yield* read
        // A store that can hold such text lands it byte for byte; one that cannot says why.
        const reasons = ["nul_byte", "nul_byte", "lone_surrogate", "lone_surrogate", "lone_surrogate"]
        const reasonOf = new Map(dirty.map(({ url }, at) => [url.toWellFormed(), reasons[at]]))
        for (const { reason, url } of loaded.deadLetters) {
          assert.strictEqual(reason, reasonOf.get(url.toWellFormed()), url)
        }
        assertLanded(loaded, withoutDeadLetters([...clean, ...dirty], loaded))
        assert.strictEqual(result.deadLetters, loaded.deadLetters.length)
        assert.strictEqual(result.rows.pages, loaded.pages.length)
        assert.strictEqual(result.rows.pages + result.deadLetters, clean.length + dirty.length)
      })
    )

    it.effect("sets numbers aside that no store of integers holds", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const { write, publish } = yield* startRun(sink, yield* sink.connect)
        const odd = sampleRecord("https://a.example/odd", { durationMs: 2 ** 31 })
        const result = yield* write(0, [odd, sampleRecord("https://a.example/even")])
        yield* publish
        const loaded = yield* read
        assert.strictEqual(result.rows.pages, loaded.pages.length)
        assert.strictEqual(loaded.pages.length + loaded.deadLetters.length, 2)
      })
    )

    it.effect("quarantines what breaks the contract, even if the store could hold it", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const { write, publish } = yield* startRun(sink, yield* sink.connect)
        const landing = sampleRecord("https://a.example/1")
        const refused = sampleRecord("https://a.example/refused", {
          refusal: { reason: "contract", detail: '["depth"]', raw: '{"url":"https://a.example/refused","depth":"two"}' }
        })
        const result = yield* write(0, [refused, landing])
        assert.strictEqual(result.deadLetters, 1)
        assert.strictEqual(result.rows.pages, 1)
        yield* publish
        const loaded = yield* read
        assertLanded(loaded, [landing])
        assert.deepStrictEqual(loaded.deadLetters, [{ jobId: "job-1", url: refused.url, reason: "contract" }])
      })
    )

    it.effect("keeps what the contract does not know, as content", () =>
      Effect.gen(function* () {
        const { sink, read, keeps } = yield* make
        const connection = yield* sink.connect
        const extra = { cached: true, metadata: { region: "é 漢\u2028", sizes: [1.5, null, '"\\'] }, __proto: {} }
        const first = [sampleRecord("https://a.example/1", { extra }), sampleRecord("https://a.example/2")]
        const one = yield* startRun(sink, connection)
        yield* one.write(0, first)
        yield* one.publish
        assertLanded(yield* read, first)
        const second = [first[0]!, { ...first[1]!, extra: { cached: false } }].map((record) => ({
          ...record,
          jobId: "job-2"
        }))
        const two = yield* startRun(sink, connection)
        yield* two.write(0, second)
        yield* two.publish
        assertLanded(yield* read, keeps === "every delivery" ? [...first, ...second] : second)
      })
    )

    it.effect("quarantines what it cannot hold of that", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const { write, publish } = yield* startRun(sink, yield* sink.connect)
        const odd = [{ "a\0": 1 }, { a: { b: ["\uD83D"] } }].map((extra, at) =>
          sampleRecord(`https://a.example/${at}`, { extra })
        )
        const result = yield* write(0, [...odd, sampleRecord("https://a.example/even")])
        yield* publish
        const loaded = yield* read
        assert.strictEqual(result.rows.pages, loaded.pages.length)
        assert.strictEqual(loaded.pages.length + loaded.deadLetters.length, 3)
      })
    )

    it.effect("refuses a run that another process has taken over", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const connection = yield* sink.connect
        const paused = yield* startRun(sink, connection)
        yield* paused.write(0, [sampleRecord("https://a.example/1")])
        const run = yield* paused.ledger.takeOver(paused.run.runId, lease, lease.holder)
        const failure = yield* Effect.flip(paused.write(1, [sampleRecord("https://a.example/2")]))
        assert.strictEqual(failure.reason._tag, "Fenced")
        const next = yield* startRun(sink, connection, { ledger: paused.ledger, run })
        yield* next.write(1, [sampleRecord("https://a.example/3")])
        yield* next.publish
        assertLanded(yield* read, [sampleRecord("https://a.example/1"), sampleRecord("https://a.example/3")])
      })
    )

    it.effect("keeps or replaces what an earlier run delivered, as it says", () =>
      Effect.gen(function* () {
        const { sink, read, keeps } = yield* make
        const connection = yield* sink.connect
        const first = [
          sampleRecord("https://a.example/same"),
          sampleRecord("https://a.example/changed", {
            links: ["https://b.example/1", "https://b.example/2", "https://b.example/3"]
          }),
          sampleRecord("https://a.example/lost"),
          sampleRecord("https://a.example/only-first")
        ]
        const second = [
          { ...first[0]!, durationMs: 99 },
          sampleRecord("https://a.example/changed", {
            markdown: "new",
            links: ["https://b.example/1", "https://b.example/4"]
          }),
          sampleRecord("https://a.example/lost", { status: "failed", errorCode: "GONE", markdown: null, links: [] }),
          sampleRecord("https://a.example/only-second")
        ].map((record) => ({ ...record, jobId: "job-2" }))
        const one = yield* startRun(sink, connection)
        yield* one.write(0, first)
        yield* one.publish
        const two = yield* startRun(sink, connection)
        const result = yield* two.write(0, second)
        if (keeps === "the last run") assertLanded(yield* read, first)
        yield* two.publish
        assert.strictEqual(result.rows.pages, 4)
        const left = {
          "every delivery": [...first, ...second],
          "the latest": [...second, first[3]!],
          "the last run": second,
          "every version": [first[0]!, second[1]!, first[2]!, first[3]!, second[3]!]
        }
        assertLanded(yield* read, left[keeps])
      })
    )

    it.effect("publishes a run twice as if once, by whichever process", () =>
      Effect.gen(function* () {
        const { sink, read } = yield* make
        const connection = yield* sink.connect
        const { ledger, publish, run, write } = yield* startRun(sink, connection)
        const records = [sampleRecord("https://a.example/1"), sampleRecord("https://a.example/2")]
        yield* write(0, records)
        yield* publish
        yield* publish
        yield* (yield* startRun(sink, connection, { ledger, run })).publish
        assertLanded(yield* read, records)
      })
    )

    it.effect("publishes no run that another process has taken over", () =>
      Effect.gen(function* () {
        const { sink, read, keeps } = yield* make
        const connection = yield* sink.connect
        const paused = yield* startRun(sink, connection)
        yield* paused.write(0, [sampleRecord("https://a.example/1")])
        const run = yield* paused.ledger.takeOver(paused.run.runId, lease, lease.holder)
        yield* Effect.exit(paused.publish)
        if (keeps === "the last run") assertLanded(yield* read, [])
        yield* (yield* startRun(sink, connection, { ledger: paused.ledger, run })).publish
        assertLanded(yield* read, [sampleRecord("https://a.example/1")])
      })
    )
  })
}

/** Text that does not compress, the same on every run. */
const randomText = (length: number): string => {
  let state = 7
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 27).toString(36)
  }).join("")
}
