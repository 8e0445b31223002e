import { afterAll, beforeAll } from "@effect/vitest"
import { sinkSuite } from "@sluice/testkit"
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

// Two modes a day, all four in the soak; a server has all of them every day.
const day = Math.floor(Date.now() / 86_400_000)
for (const [at, mode] of LoadMode.literals.entries()) {
  if (process.env.SLUICE_LONG_TESTS === undefined && at % 2 !== day % 2) continue
  sinkSuite(
    `PGlite, ${mode}`,
    Effect.flatMap(place, (at) => sinkIn(at, mode))
  )
}
// A server has all of it every day.
databaseSuite("PGlite", place, "a third a day")
