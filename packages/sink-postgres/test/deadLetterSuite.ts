import { assert, describe, it } from "@effect/vitest"
import type { PageRecord } from "@sluice/core"
import { sampleRecord, sampleSnapshot, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import { type LoadMode, Postgres } from "../src/index.ts"
import { type Place, sinkIn } from "./databases.ts"
import { killAt } from "./killAt.ts"

const url = (page: string) => `https://a.example/${page}`
const nul = sampleRecord(url("nul"), { markdown: "before\0after", extra: { "k\0": ["\0", { deep: "\uD83D" }] } })
const surrogate = sampleRecord(url("surrogate"), { links: [url("\uD83D"), url("fine")] })
const outOfRange = sampleRecord(url("range"), { durationMs: 2 ** 31 })
const dirty = [nul, surrogate, outOfRange]
const clean = sampleRecord(url("clean"))
/** It does not say how it ended, so it cannot be counted as a page. */
const misshapen = {
  url: url("contract"),
  parent_url: null,
  depth: "two",
  status: 7,
  error_code: null,
  error_message: null,
  links: [url("fine")],
  data: { markdown: "content", html: null, summary: "new" },
  metadata: { http_status: 200, duration_ms: 5, tokens_charged: 1 }
}
const refused = sampleRecord(url("contract"), {
  links: [],
  markdown: null,
  refusal: { reason: "contract", detail: "it does not say how it ended", raw: JSON.stringify(misshapen) }
})
/** What a letter says that holds no page this build can read. */
const notReadable = new Map([["what they hold is no record this build can read", 1]])

/** Records that were set aside, loaded again. */
export const deadLetterSuite = (name: string, place: Effect.Effect<Place>): void => {
  const setUp = Effect.fnUntraced(function* (mode: LoadMode) {
    const made = yield* sinkIn(yield* place, mode)
    const connection = yield* made.sink.connect
    return { ...made, connection, deadLetters: Postgres.deadLetters(made.database) }
  })
  const none = new Map<string, number>()
  const pages = (loaded: { readonly pages: ReadonlyArray<{ readonly url: string }> }) =>
    loaded.pages.map((page) => page.url).toSorted()

  describe(`${name}: dead letters`, () => {
    it.effect("are listed without what they hold, and shown with it", () =>
      Effect.gen(function* () {
        const { connection, deadLetters, sink } = yield* setUp("append")
        const { run, write } = yield* startRun(sink, connection)
        yield* write(0, [...dirty, clean, refused])
        const listed = yield* deadLetters.list()
        assert.deepStrictEqual(
          listed.map(({ id: _, bytes, createdAt, runId, ...deadLetter }) => {
            assert.isAbove(bytes, 50)
            assert.strictEqual(runId, run.runId)
            assert.match(createdAt, /^20/)
            return deadLetter
          }),
          [
            ["contract", "it does not say how it ended", "contract"],
            ["out_of_range", "a number that is no 32-bit integer", "range"],
            ["lone_surrogate", "text with half a surrogate pair, which is no Unicode", "surrogate"],
            ["nul_byte", "text with a NUL byte, which no table takes", "nul"]
          ].map(([reason, detail, page]) => ({
            pipeline: "suite",
            sink: "postgres",
            jobId: "job-1",
            url: url(page!),
            reason: reason!,
            detail: detail!,
            replayedAt: null
          }))
        )
        assert.notInclude(JSON.stringify(listed), "before")
        assert.deepStrictEqual(
          (yield* deadLetters.list({ limit: 2 })).map(({ id }) => id),
          listed.slice(0, 2).map(({ id }) => id)
        )
        const whole = yield* deadLetters.get(listed.at(-1)!.id)
        assert.strictEqual(JSON.parse(whole!.raw).markdown, nul.markdown)
        assert.strictEqual((yield* deadLetters.get(listed[0]!.id))!.raw, refused.refusal!.raw)
        assert.isUndefined(yield* deadLetters.get(0))
        assert.lengthOf(yield* deadLetters.list({ pipeline: "suite", runId: run.runId }), 4)
        assert.deepStrictEqual(yield* deadLetters.list({ pipeline: "other" }), [])
        assert.deepStrictEqual(yield* deadLetters.list({ runId: "no run" }), [])
      })
    )

    for (const mode of ["append", "merge", "replace", "history"] as const) {
      it.effect(`land once in ${mode}, whoever replays them and however often`, () =>
        Effect.gen(function* () {
          const { connection, database, deadLetters, read, sink } = yield* setUp(mode)
          const { write, publish } = yield* startRun(sink, connection)
          yield* write(0, [...dirty, clean])
          yield* publish
          const stays = yield* deadLetters.replay({})
          assert.deepInclude(stays, { loaded: 0, superseded: 0 })
          assert.strictEqual(
            [...stays.refused.values()].reduce((sum, count) => sum + count, 0),
            3
          )
          assert.match([...stays.refused.keys()].join("\n"), /^nul_byte: text with a NUL byte/)
          assert.lengthOf(yield* deadLetters.list(), 3)

          const { repair } = yield* killAt(database, "AFTER UPDATE ON dead_letters")
          yield* Effect.flip(deadLetters.replay({}, { replace: true }))
          yield* repair
          assert.deepStrictEqual(pages(yield* read), [clean.url])

          const both = yield* Effect.all(
            [deadLetters.replay({}, { replace: true }), deadLetters.replay({}, { replace: true })],
            {
              concurrency: 2
            }
          )
          assert.deepStrictEqual(both.map(({ loaded }) => loaded).toSorted(), [0, 3])
          assert.deepStrictEqual(yield* deadLetters.replay({}, { replace: true }), {
            loaded: 0,
            superseded: 0,
            refused: none
          })
          const loaded = yield* read
          assert.deepStrictEqual(pages(loaded), [clean, ...dirty].map((record) => record.url).toSorted())
          const by = (page: PageRecord) => loaded.pages.find((found) => found.url === page.url)
          assert.deepInclude(by(nul), {
            markdown: "before\uFFFDafter",
            extra: { "k\uFFFD": ["\uFFFD", { deep: "\uFFFD" }] }
          })
          assert.deepStrictEqual(by(surrogate)?.links, [url("\uFFFD"), url("fine")])
          assert.deepInclude(by(outOfRange), { durationMs: null, httpStatus: 200 })
          assert.deepStrictEqual(yield* deadLetters.list(), [])
          assert.lengthOf(yield* deadLetters.list({ replayed: true }), 3)
          // The run's process had not heard that its segment was committed.
          yield* write(0, [...dirty, clean])
          assert.deepStrictEqual(yield* deadLetters.list(), [])
        })
      )
    }

    it.effect(
      "land by number, by run or by pipeline, when what refused them is gone, and stay with the reason of the day",
      () =>
        Effect.gen(function* () {
          const { connection, database, deadLetters, read, sink } = yield* setUp("merge")
          yield* database.query("ALTER TABLE pages ADD CONSTRAINT no_x CHECK (url NOT LIKE '%x%x')")
          const first = yield* startRun(sink, connection)
          yield* first.write(
            0,
            ["x1x", "x2x", "x3x"].map((page) => sampleRecord(url(page)))
          )
          const second = yield* startRun(sink, connection)
          yield* second.write(0, [sampleRecord(url("x4x"), { jobId: "job-2" })])
          yield* database.query("ALTER TABLE pages DROP CONSTRAINT no_x")
          yield* database.query("ALTER TABLE pages ADD CONSTRAINT no_2 CHECK (url NOT LIKE '%x2x')")
          const ofFirst = (yield* deadLetters.list()).find((deadLetter) => deadLetter.url === url("x1x"))
          assert.deepInclude(yield* deadLetters.replay({ ids: [ofFirst!.id, 999_999] }), { loaded: 1 })
          assert.deepInclude(yield* deadLetters.replay({ pipeline: "other" }), { loaded: 0, refused: none })
          const ofRun = yield* deadLetters.replay({ runId: first.run.runId })
          assert.deepInclude(ofRun, { loaded: 1 })
          assert.match([...ofRun.refused.keys()].join(), /^refused: .*"no_2".* \(SQLSTATE 23514\)$/)
          assert.deepInclude(yield* deadLetters.replay({ pipeline: "suite" }), { loaded: 1 })
          assert.deepStrictEqual(pages(yield* read), ["x1x", "x3x", "x4x"].map(url))
          assert.match((yield* deadLetters.list())[0]!.detail, /"no_2"/)
        })
    )

    it.effect("that the contract refused land once it takes them, or stay for what is wrong then", () =>
      Effect.gen(function* () {
        const { connection, database, deadLetters, read, sink } = yield* setUp("append")
        const { write } = yield* startRun(sink, connection)
        yield* write(0, [refused], [sampleSnapshot("job-1")])
        const stays = yield* deadLetters.replay({}, { replace: true })
        assert.deepStrictEqual(stays, { loaded: 0, superseded: 0, refused: notReadable })
        assert.strictEqual((yield* deadLetters.list())[0]?.reason, "contract")
        // As if this build's contract had come to take what it refused.
        const fit = { ...misshapen, status: "completed", data: { ...misshapen.data, markdown: "a\0b" } }
        yield* database.query("UPDATE dead_letters SET raw = $1", [JSON.stringify(fit)])
        assert.deepStrictEqual(
          [...(yield* deadLetters.replay({})).refused.keys()],
          ["nul_byte: text with a NUL byte, which no table takes"]
        )
        const [deadLetter] = yield* deadLetters.list()
        assert.strictEqual(deadLetter?.reason, "nul_byte")
        assert.deepInclude(yield* deadLetters.replay({}, { replace: true }), { loaded: 1 })
        assert.deepInclude((yield* read).pages[0], {
          url: url("contract"),
          markdown: "a\uFFFDb",
          // An earlier build refused a page for such a value. Now it lands without it, and with a note of it.
          depth: null,
          links: [url("fine")],
          extra: { data: { summary: "new" }, depth: "two" }
        })
        assert.deepStrictEqual(yield* deadLetters.list(), [])
      })
    )

    it.effect("of results that do not say which page they are stay, whatever else they say", () =>
      Effect.gen(function* () {
        const { connection, deadLetters, read, sink } = yield* setUp("append")
        const { write } = yield* startRun(sink, connection)
        const { url: _, ...nameless } = { ...misshapen, status: "completed" }
        const detail = "it does not say which page it is"
        const record = { ...refused, url: "", refusal: { ...refused.refusal!, detail, raw: JSON.stringify(nameless) } }
        yield* write(0, [record], [sampleSnapshot("job-1")])
        const stays = yield* deadLetters.replay({}, { replace: true })
        assert.deepStrictEqual(stays, { loaded: 0, superseded: 0, refused: notReadable })
        assert.deepStrictEqual((yield* read).pages, [])
        assert.strictEqual((yield* deadLetters.list())[0]?.detail, detail)
      })
    )

    it.effect("are settled in merge where a later delivery of their page stands", () =>
      Effect.gen(function* () {
        const { connection, deadLetters, read, sink } = yield* setUp("merge")
        const first = yield* startRun(sink, connection)
        yield* first.write(0, [nul, surrogate])
        const second = yield* startRun(sink, connection)
        const later = sampleRecord(nul.url, { jobId: "job-2", markdown: "later" })
        yield* second.write(0, [later])
        assert.deepStrictEqual(yield* deadLetters.replay({}, { replace: true }), {
          loaded: 1,
          superseded: 1,
          refused: none
        })
        const loaded = yield* read
        assert.deepStrictEqual(pages(loaded), [nul.url, surrogate.url])
        assert.strictEqual(loaded.pages.find((page) => page.url === nul.url)?.markdown, "later")
        assert.deepStrictEqual(yield* deadLetters.list(), [])
      })
    )

    it.effect("land in replace in the set their run wrote, as long as readers see it or may come to", () =>
      Effect.gen(function* () {
        const { connection, database, deadLetters, read, sink } = yield* setUp("replace")
        const first = yield* startRun(sink, connection)
        yield* first.write(0, [clean, nul, surrogate])
        const [last] = yield* deadLetters.list({ limit: 1 })
        assert.deepInclude(yield* deadLetters.replay({ ids: [last!.id] }, { replace: true }), {
          loaded: 1
        })
        assert.deepStrictEqual(pages(yield* read), [])
        yield* first.publish
        assert.deepStrictEqual(pages(yield* read), [clean.url, surrogate.url])
        const second = yield* startRun(sink, connection)
        yield* second.write(0, [{ ...clean, jobId: "job-2" }])
        yield* second.publish
        const why = `a later run of the pipeline has been published, and the pages of run ${first.run.runId} are not kept`
        assert.deepStrictEqual((yield* deadLetters.replay({}, { replace: true })).refused, new Map([[why, 1]]))

        const third = yield* startRun(sink, connection)
        yield* third.write(0, [{ ...nul, jobId: "job-3" }])
        yield* database.query("UPDATE runs SET finished_at = now() WHERE run_id = $1", [third.run.runId])
        const { refused: both } = yield* deadLetters.replay({}, { replace: true })
        assert.deepStrictEqual([...both.keys()].toSorted(), [
          why,
          "their run has ended without being published, and readers will never see its pages"
        ])
        assert.deepStrictEqual(pages(yield* read), [clean.url])
        assert.lengthOf(yield* deadLetters.list(), 2)
      })
    )

    it.effect("become the current version in history, unless a later run has been loaded", () =>
      Effect.gen(function* () {
        const { connection, database, deadLetters, read, sink } = yield* setUp("history")
        const first = yield* startRun(sink, connection, { startedAt: 1_750_000_000_000 })
        yield* first.write(0, [{ ...nul, markdown: "one", extra: null }])
        yield* first.publish
        const second = yield* startRun(sink, connection, { startedAt: 1_750_000_001_000 })
        yield* second.write(0, [
          { ...nul, jobId: "job-2" },
          { ...surrogate, jobId: "job-2" }
        ])
        yield* second.publish
        const [ofSurrogate, ofNul] = yield* deadLetters.list()
        assert.deepInclude(yield* deadLetters.replay({ ids: [ofNul!.id] }, { replace: true }), {
          loaded: 1
        })
        assert.strictEqual((yield* read).pages[0]?.markdown, "before\uFFFDafter")
        assert.deepStrictEqual(
          yield* database.query("SELECT markdown FROM page_versions ORDER BY valid_from, valid_to NULLS LAST"),
          [{ markdown: "one" }, { markdown: "before\uFFFDafter" }]
        )
        const third = yield* startRun(sink, connection, { startedAt: 1_750_000_002_000 })
        yield* third.write(0, [{ ...clean, jobId: "job-3" }])
        const { loaded, refused: held } = yield* deadLetters.replay({ ids: [ofSurrogate!.id] }, { replace: true })
        assert.strictEqual(loaded, 0)
        assert.match([...held.keys()].join(), /^a later run has been loaded since/)
        assert.lengthOf(yield* deadLetters.list(), 1)
      })
    )
  })
}
