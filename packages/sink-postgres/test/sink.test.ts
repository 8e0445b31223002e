import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { dailySample, loadedOf, sampleRecord, sinkSuite, startRun } from "@sluice/testkit"
import { Effect, Exit, Scope } from "effect"
import { LoadMode, Postgres } from "../src/index.ts"
import { databaseSuite } from "./databaseSuite.ts"
import { sinkIn, temporaryDirectory } from "./databases.ts"

// One instance for the file, with a schema a test: making one takes seconds.
const scope = Scope.makeUnsafe()
let directory = ""
beforeAll(async () => {
  directory = await Effect.runPromise(Scope.provide(temporaryDirectory, scope))
  await Effect.runPromise(Scope.provide(Postgres.open({ directory }), scope))
}, 120_000)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
const place = Effect.sync(() => ({ directory }))

// One mode a run, all four in the soak; a server has all of them in every run.
for (const mode of dailySample(LoadMode.literals, LoadMode.literals.length)) {
  sinkSuite(
    `PGlite, ${mode}`,
    Effect.flatMap(place, (at) => sinkIn(at, mode))
  )
}
// A segment holds no page twice; should one, the first is kept.
it.effect("keeps the first of two records of one page in a segment", () =>
  Effect.gen(function* () {
    const { read, sink } = yield* Effect.flatMap(place, (at) => sinkIn(at, "merge"))
    const { publish, write } = yield* startRun(sink, yield* sink.connect)
    const record = sampleRecord("https://a.example/twice")
    const { rows } = yield* write(0, [record, { ...record, markdown: "again" }])
    yield* publish
    assert.strictEqual(rows.pages, 1)
    assert.deepStrictEqual((yield* read).pages, [loadedOf(record)])
  })
)

// A server has all of it in every run.
databaseSuite("PGlite", place, "an eighth")
