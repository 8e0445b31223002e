import { Effect } from "effect"
import { Postgres } from "../src/index.ts"

// A process that opens an embedded database, says so and stays, for tests of what another process meets.
await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const database = yield* Postgres.open({ directory: process.argv[2]! })
      yield* Postgres.migrate(database)
      yield* Effect.sync(() => process.stdout.write("open\n"))
      return yield* Effect.never
    })
  )
)
