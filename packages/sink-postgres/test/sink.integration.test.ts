import { afterAll, beforeAll } from "@effect/vitest"
import { createDatabase, postgresServer, sinkSuite } from "@sluice/testkit"
import { Effect, Exit, Scope } from "effect"
import { databaseSuite } from "./databaseSuite.ts"
import { sinkIn } from "./databases.ts"

const scope = Scope.makeUnsafe()
let url = ""
beforeAll(async () => {
  url = await Effect.runPromise(Scope.provide(Effect.flatMap(postgresServer, createDatabase), scope))
}, 120_000)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
const place = Effect.sync(() => ({ url }))

sinkSuite(
  "Postgres, append",
  Effect.flatMap(place, (at) => sinkIn(at, "append"))
)
sinkSuite(
  "Postgres, merge",
  Effect.flatMap(place, (at) => sinkIn(at, "merge"))
)
databaseSuite("Postgres", place)
