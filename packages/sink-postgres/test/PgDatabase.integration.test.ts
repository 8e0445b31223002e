import { assert, layer } from "@effect/vitest"
import { createDatabase, postgresServer, sampleRecord, startRun } from "@sluice/testkit"
import { Context, Effect, Layer } from "effect"
import { Postgres } from "../src/index.ts"

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
      assert.strictEqual(malformed.reason._tag, "SinkDenied")
      for (const error of [failure, malformed]) {
        assert.notInclude(`${error} ${error.stack} ${JSON.stringify(error)}`, "hush-hush")
      }
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
