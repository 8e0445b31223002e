import { createHash } from "node:crypto"
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from "node:stream"
import { assert, layer } from "@effect/vitest"
import { createDatabase, postgresServer, sampleRecord, startRun } from "@sluice/testkit"
import { Context, Effect, Layer } from "effect"
import { encodeRows } from "../src/database/CopyBinary.ts"
import { type Database, Postgres } from "../src/index.ts"

class Url extends Context.Service<Url, string>()("@sluice/sink-postgres/test/Url") {
  static readonly layer = Layer.effect(this, Effect.flatMap(postgresServer, createDatabase))
}

layer(Url.layer, { timeout: 120_000 })("a Postgres server", (it) => {
  it.effect("says who lacks which right, and prepares nothing", () =>
    Effect.gen(function* () {
      const url = yield* Url
      const owner = yield* Postgres.open({ url })
      yield* owner.query("CREATE ROLE poor_sluice LOGIN PASSWORD 'secret-of-the-poor'")
      yield* Effect.addFinalizer(() => Effect.ignore(owner.query("DROP ROLE poor_sluice")))
      const poor = new URL(url)
      poor.username = "poor_sluice"
      poor.password = "secret-of-the-poor"
      const failure = yield* Effect.flip(Postgres.sink({ url: poor.href, schema: "not_yours" }).connect)
      assert.strictEqual(failure.reason._tag, "SinkDenied")
      assert.include(failure.message, "the role may not prepare the database (permission denied")
      poor.password = "wrong-guess"
      const refused = yield* Effect.flip(Postgres.sink({ url: poor.href }).connect)
      assert.include(["SinkDenied", "SinkMisconfigured"], refused.reason._tag)
    })
  )

  it.effect("is named in no error, nor is its password", () =>
    Effect.gen(function* () {
      const url = "postgres://someone:hush-hush@127.0.0.1:1/nothing"
      const failure = yield* Effect.flip(Postgres.sink({ url }).connect)
      assert.strictEqual(failure.reason._tag, "SinkUnreachable")
      assert.isTrue(failure.isRetryable)
      const malformed = yield* Effect.flip(Postgres.sink({ url: "postgres://someone:hush-hush@[bad/nothing" }).connect)
      assert.strictEqual(malformed.reason._tag, "SinkMisconfigured")
      for (const error of [failure, malformed]) {
        assert.notInclude(`${error} ${error.stack} ${JSON.stringify(error)}`, "hush-hush")
      }
    })
  )

  it.effect(
    "takes rows of every size as they are, and also where streams take more at once than they do by default",
    () =>
      Effect.gen(function* () {
        const database = yield* Postgres.open({ url: yield* Url })
        const sizes = [0, 3, 70, 900, 8_000, 70_000, 131_000, 131_073, 262_144, 300_000, 1_500_000]
        let state = 7
        const texts = Array.from({ length: 400 }, (_, n) => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0
          // The large ones are rare, or there would be half a gigabyte of them.
          const size = sizes[(state >>> 8) % (n % 8 === 0 ? sizes.length : 5)]!
          return String.fromCharCode(97 + (state % 26)).repeat(size) + n
        })
        const digests = texts.map((text) => createHash("md5").update(text).digest("hex"))
        const landedIn = (database: Database) =>
          database.transaction(
            Effect.fnUntraced(function* (tx) {
              yield* tx.execute("CREATE TEMPORARY TABLE texts (n int, t text) ON COMMIT DROP")
              yield* tx.copyIn(
                "texts (n, t)",
                encodeRows(texts.entries(), (copy, [n, text]) => {
                  copy.row(2)
                  copy.int4(n)
                  copy.text(text)
                })
              )
              return yield* tx.query("SELECT md5(t) AS digest FROM texts ORDER BY n")
            })
          )
        const expected = digests.map((digest) => ({ digest }))
        for (let round = 0; round < 3; round++) assert.deepStrictEqual(yield* landedIn(database), expected)
        const before = getDefaultHighWaterMark(false)
        yield* Effect.acquireUseRelease(
          Effect.sync(() => setDefaultHighWaterMark(false, 8 * 1024 * 1024)),
          () =>
            Effect.gen(function* () {
              const other = yield* Postgres.open({ url: yield* Url })
              assert.deepStrictEqual(yield* landedIn(other), expected)
            }),
          () => Effect.sync(() => setDefaultHighWaterMark(false, before))
        )
      })
  )

  it.effect("loses a connection without losing a segment", () =>
    Effect.gen(function* () {
      const url = yield* Url
      const schema = "broken"
      const sink = Postgres.sink({ url, schema })
      const { write } = yield* startRun(sink, yield* sink.connect)
      yield* write(0, [sampleRecord("https://a.example/1")])
      const database = yield* Postgres.open({ url, schema })
      yield* database.query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'sluice' AND backend_type = 'client backend'"
      )
      const second = write(1, [sampleRecord("https://a.example/2")])
      yield* second.pipe(
        Effect.retry({ times: 5, while: (error) => error._tag === "LedgerError" || error.isRetryable })
      )
      assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM pages"), [{ count: 2 }])
    })
  )

  it.effect("lets two sinks write the same set at once", () =>
    Effect.gen(function* () {
      const url = yield* Url
      const sink = Postgres.sink({ url, schema: "shared" })
      const runs = yield* Effect.forEach([0, 1, 2], () =>
        Effect.flatMap(sink.connect, (connection) => startRun(sink, connection))
      )
      const records = Array.from({ length: 200 }, (_, at) => sampleRecord(`https://a.example/${at}`))
      yield* Effect.forEach(runs, ({ write }) => write(0, records), { concurrency: "unbounded" })
      const database = yield* Postgres.open({ url, schema: "shared" })
      assert.deepStrictEqual(
        yield* database.query("SELECT (SELECT count(*) FROM pages) AS pages, (SELECT count(*) FROM links) AS links"),
        [{ pages: 200, links: 400 }]
      )
    })
  )
})
