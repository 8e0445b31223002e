import { afterAll, beforeAll, describe } from "@effect/vitest"
import { createDatabase, postgresServer, sinkSuite } from "@sluice/testkit"
import { Effect, Exit, Scope } from "effect"
import { LoadMode } from "../src/index.ts"
import { databaseSuite } from "./databaseSuite.ts"
import { sinkIn } from "./databases.ts"

const scope = Scope.makeUnsafe()
let url = ""
beforeAll(async () => {
  url = await Effect.runPromise(Scope.provide(Effect.flatMap(postgresServer, createDatabase), scope))
}, 120_000)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
const place = Effect.sync(() => ({ url }))

describe("a Postgres server", { concurrent: true }, () => {
  for (const mode of LoadMode.literals) {
    sinkSuite(
      `Postgres, ${mode}`,
      Effect.flatMap(place, (at) => sinkIn(at, mode))
    )
  }
})
databaseSuite("Postgres", place)
