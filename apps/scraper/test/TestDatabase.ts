import { randomUUID } from "node:crypto"
import { Effect } from "effect"
import pg from "pg"

/** Runs statements on a database as its superuser. */
export const administer = (url: string, ...statements: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      let rows: ReadonlyArray<Readonly<Record<string, unknown>>> = []
      for (const statement of statements) rows = (await client.query(statement)).rows
      return rows
    } finally {
      await client.end()
    }
  })

/** A fresh database on the server of `TEST_DATABASE_URL`; its URL has a password that must show up nowhere. */
export const testDatabase = Effect.gen(function* () {
  const server = process.env.TEST_DATABASE_URL ?? ""
  const name = `scraper_${randomUUID().replaceAll("-", "").slice(0, 16)}`
  yield* Effect.acquireRelease(administer(server, `CREATE DATABASE ${name}`), () =>
    administer(server, `DROP DATABASE ${name} WITH (FORCE)`)
  )
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
})

/** Ends every session of a server on a database, as a restart of the database would. */
export const cutConnections = (url: string) =>
  administer(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'sluice-scraper'`
  )
