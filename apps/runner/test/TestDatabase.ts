import { Postgres, type Row } from "@sluice/sink-postgres"
import { createDatabase } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { canary } from "./Cli.ts"

/** A database of its own for a test, dropped with the scope. */
export interface TestDatabase {
  /** How the tested process reaches it: as a role of its own, with the canary as its password. */
  readonly url: string
  /** Asks it as the server's administrator. */
  readonly rows: <A = Row>(sql: string) => Effect.Effect<ReadonlyArray<A>>
}

/**
 * Makes a database whose owner the role is, or, with `owned` false, one in which it may do what everybody may. `settings` follow
 * its name in SQL.
 */
export const testDatabase = Effect.fnUntraced(function* (
  options: { readonly owned: boolean; readonly settings?: string } = { owned: true }
) {
  const serverUrl = yield* Config.String("TEST_DATABASE_URL")
  const server = yield* Postgres.open({ url: serverUrl })
  const role = `sluice_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`
  yield* Effect.acquireRelease(server.query(`CREATE ROLE ${role} LOGIN PASSWORD '${canary.password}'`), () =>
    Effect.orDie(server.query(`DROP ROLE ${role}`))
  )
  const ownUrl = yield* createDatabase({ url: serverUrl, label: "" }, options.settings)
  const url = new URL(ownUrl)
  url.username = role
  url.password = canary.password
  const administrator = yield* Postgres.open({ url: ownUrl })
  if (options.owned) {
    yield* administrator.query(`ALTER DATABASE ${url.pathname.slice(1)} OWNER TO ${role}`)
  }
  const database: TestDatabase = {
    url: url.href,
    rows: <A>(sql: string) => Effect.map(Effect.orDie(administrator.query(sql)), (rows) => rows as ReadonlyArray<A>)
  }
  return database
})

/** Every row of Sluice's tables in a schema, by table, as text. */
export const dump = Effect.fnUntraced(function* (database: TestDatabase, schema: "public" | "crawl" = "public") {
  const tables = yield* database.rows<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r' ORDER BY 1`
  )
  return yield* Effect.forEach(tables, ({ name }) =>
    Effect.map(database.rows<{ row: string }>(`SELECT t::text AS row FROM ${schema}."${name}" t`), (rows) => ({
      name,
      rows: rows.map(({ row }) => row)
    }))
  )
})
