import { cpSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { type Database, Postgres } from "@sluice/sink-postgres"
import { createDatabase, type PostgresServer } from "@sluice/testkit"
import { Effect, type Scope } from "effect"
import { directory } from "../../../apps/runner/test/Cli.ts"
import { migrations } from "../../../packages/sink-postgres/src/database/migrations.generated.ts"
import { temporaryDirectory } from "../../../packages/sink-postgres/test/databases.ts"
import { firstSet, leaveBehind } from "../../../packages/sink-postgres/test/leaveBehind.ts"
import { bundles } from "../../setup/bundles.ts"
import { untrue } from "../Books.ts"
import { live } from "../Life.ts"
import { type Aftermath, again, type Death, reachedBy, type Target } from "./CommandKill.ts"
import { contentsOf, othersEnded } from "./databaseContents.ts"
import type { Tables } from "./Order.ts"

const allIds = migrations.map(({ id }) => id)

/** From where databases are upgraded: from nothing, and from every set of migrations that was released. */
export const levels: ReadonlyArray<number> = [
  0,
  ...Array.from({ length: allIds.length - firstSet }, (_, at) => firstSet + at)
]

/** Makes a database as an earlier build has left it; of no build, not even the schema exists. */
const prepare = Effect.fnUntraced(function* (database: Database, level: number) {
  if (level === 0) return yield* database.query("DROP SCHEMA public")
  yield* Postgres.migrate(database, migrations.slice(0, level))
  yield* leaveBehind(database, "c0ffee", "job-of-open")
})

/** Databases of a level, one for each kill. */
const serverCopies = Effect.fnUntraced(function* (server: PostgresServer, level: number) {
  const template = yield* createDatabase(server)
  yield* Effect.scoped(Effect.flatMap(Postgres.open({ url: template }), (database) => prepare(database, level)))
  const copy: Effect.Effect<Tables, never, Scope.Scope> = Effect.map(
    createDatabase(server, `TEMPLATE ${new URL(template).pathname.slice(1)}`),
    (url) => ({ url })
  )
  return copy
})

const embeddedCopies = Effect.fnUntraced(function* (level: number) {
  const template = `${yield* temporaryDirectory}/postgres`
  yield* Effect.scoped(Effect.flatMap(Postgres.open({ directory: template }), (database) => prepare(database, level)))
  const copy: Effect.Effect<Tables, never, Scope.Scope> = Effect.map(temporaryDirectory, (parent) => {
    const directory = join(parent, "postgres")
    cpSync(template, directory, { recursive: true })
    return { directory }
  })
  return copy
})

const contents = (tables: Tables) =>
  Effect.scoped(
    Effect.gen(function* () {
      const database = yield* Postgres.open(tables)
      yield* othersEnded(database)
      return yield* contentsOf(database)
    })
  ).pipe(Effect.orDie)

/** The definitions of a database after each of the migrations. */
export const definitionsByLevel = Effect.fnUntraced(function* (server: PostgresServer) {
  const database = yield* Postgres.open({ url: yield* createDatabase(server) })
  const byLevel: Array<ReadonlyArray<string>> = [[]]
  for (const level of allIds.keys()) {
    yield* Postgres.migrate(database, migrations.slice(0, level + 1))
    byLevel.push((yield* contentsOf(database)).definitions)
  }
  return byLevel
}, Effect.scoped)

/** A migration of databases that earlier builds have left, of a level: kills of it leave each migration whole or out. */
export const migrationFrom = Effect.fnUntraced(function* (
  server: PostgresServer,
  definitions: ReadonlyArray<ReadonlyArray<string>>,
  { level, where }: { readonly level: number; readonly where: "server" | "embedded" }
) {
  const copy = yield* Effect.orDie(where === "server" ? serverCopies(server, level) : embeddedCopies(level))
  const execute = (tables: Tables, death?: Death) =>
    live({ ORDER: JSON.stringify(orderOf(tables, death)) }, undefined, bundles.commandChild)
  const reference = yield* Effect.scoped(
    Effect.gen(function* () {
      const tables = yield* copy
      const { stderr, stdout } = yield* execute(tables)
      if (stdout === "") return yield* Effect.die(stderr)
      const met: Record<string, number> = JSON.parse(stdout)
      return { ...(yield* contents(tables)), phases: new Map(Object.entries(met)) }
    })
  )

  const kill = Effect.fnUntraced(function* (death: Death): Effect.fn.Return<Aftermath, never, Scope.Scope> {
    const tables = yield* copy
    const reached = reachedBy(yield* execute(tables, death))
    const left = yield* contents(tables)
    const known = left.ids.length
    const cwd = yield* directory
    const sink = "url" in tables ? { url: "$DATABASE_URL" } : tables
    const source = { crawl: { url: "https://site.test/" } }
    writeFileSync(join(cwd, "sluice.yaml"), JSON.stringify({ name: "old", source, sinks: [{ postgres: sink }] }))
    const options = { cwd, env: "url" in tables ? { DATABASE_URL: tables.url } : {} }
    const second = yield* again(["migrate"], options)
    const whole = yield* contents(tables)
    const third = yield* again(["migrate"], options)
    const missing = allIds.slice(known)
    return {
      reached,
      wrong: [
        ...second.wrong,
        ...third.wrong,
        ...untrue([
          [known >= level && isDeepStrictEqual(left.ids, allIds.slice(0, known)), `it left ${left.ids.join(", ")}`],
          [isDeepStrictEqual(left.definitions, definitions[known]), `half of a migration was left after ${known}`],
          [
            second.stdout === (missing.length === 0 ? upToDate : `schema "public": applied ${missing.join(", ")}\n`),
            `the next one said: ${second.stdout}`
          ],
          [isDeepStrictEqual(whole.ids, allIds), `the next one left ${whole.ids.join(", ")}`],
          [isDeepStrictEqual(whole.definitions, definitions.at(-1)), "the definitions are not those of this build"],
          [isDeepStrictEqual(whole.rows, reference.rows), "the rows are not those of an undisturbed migration"],
          [third.stdout === upToDate, `a third one said: ${third.stdout}`]
        ])
      ]
    }
  })
  const target: Target = { phases: reference.phases, kill: (death) => Effect.scoped(kill(death)) }
  return target
})

const upToDate = `schema "public" is up to date\n`

const orderOf = (tables: Tables, death: Death | undefined) => ({
  task: { command: "migrate", tables },
  ...(death === undefined ? {} : { death })
})
