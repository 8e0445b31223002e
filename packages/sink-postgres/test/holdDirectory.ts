import { Effect } from "effect"
import { Postgres } from "../src/index.ts"

// A process that opens an embedded database, says so and stays, for tests of what another process meets. With `rows` it writes
// one row of 8 KiB after the other and says how many there are. What keeps it out it says as well, and ends.
const [directory, ...flags] = process.argv.slice(2)

const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

/** Text that does not compress. */
const insert = "INSERT INTO written SELECT $1, $2, string_agg(md5(random()::text), '') FROM generate_series(1, 256)"

const hold = Effect.gen(function* () {
  const database = yield* Postgres.open({ directory: directory! })
  yield* Postgres.migrate(database)
  if (flags.includes("rows")) {
    yield* database.query("CREATE TABLE written (n int PRIMARY KEY, by text NOT NULL, body text NOT NULL)")
    yield* say("open")
    for (let n = 1; ; n++) {
      yield* database.query(insert, [n, String(process.pid)])
      if (n % 10 === 0) yield* say(`rows ${n}`)
    }
  }
  yield* say("open")
  return yield* Effect.never
})

await Effect.runPromise(Effect.scoped(hold).pipe(Effect.catch((error) => say(`refused: ${error.message}`))))
