import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Plan } from "@sluice/core/types"
import { makeSite, Simulator } from "@sluice/testkit"
import { Effect, Redacted } from "effect"
import { directory } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"
import { testDatabase } from "./TestDatabase.ts"

/** Notes the text of each statement that changes the schema, but for temporary tables. */
const watch = [
  "CREATE SCHEMA watcher",
  "CREATE TABLE watcher.ddl (at int GENERATED ALWAYS AS IDENTITY, query text)",
  `CREATE FUNCTION watcher.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
     INSERT INTO watcher.ddl (query) SELECT current_query()
     WHERE EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp');
   END $$`,
  "CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION watcher.note()"
]

const executed = "SELECT query FROM watcher.ddl GROUP BY query ORDER BY min(at)"

const setUp = Effect.fnUntraced(function* (options?: Parameters<typeof testDatabase>[0]) {
  const simulator = yield* Simulator.make({ site: makeSite({ pages: 5 }) })
  const database = yield* testDatabase(options)
  const file = join(yield* directory, "site.yaml")
  writeFileSync(
    file,
    'name: site\nsource: { crawl: { url: "https://site.test/", limit: 5 } }\nsinks: [{ postgres: { url: $DATABASE_URL, schema: crawl } }]\n'
  )
  const env = {
    DATABASE_URL: database.url,
    SCRAPER_API_BASE_URL: simulator.baseUrl,
    GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
  }
  return { database, sluice: (...args: ReadonlyArray<string>) => inProcess([args[0]!, file, ...args.slice(1)], env) }
})

describe("plan", { concurrent: true }, () => {
  it.live(
    "lists the statements that the run executes, word for word, and executes none",
    () =>
      Effect.gen(function* () {
        const { database, sluice } = yield* setUp()
        for (const statement of watch) yield* database.rows(statement)
        const planned = yield* sluice("plan", "--json")
        assert.deepStrictEqual([planned.code, planned.stderr], [0, ""])
        const plan: Plan = JSON.parse(planned.stdout)
        assert.deepStrictEqual(yield* database.rows(executed), [])
        const [schemas] = yield* database.rows<{ n: number }>(
          "SELECT count(*)::int AS n FROM pg_namespace WHERE nspname = 'crawl'"
        )
        assert.strictEqual(schemas?.n, 0)
        assert.isAbove(plan.sinks[0]!.statements.length, 2)
        assert.deepStrictEqual(
          plan.sinks[0]!.checks.map(({ result }) => result),
          ["ok", "ok"]
        )

        const ran = yield* sluice("run", "--json", "--expect-plan", plan.hash)
        assert.strictEqual(ran.code, 0, ran.stderr)
        const queries = (yield* database.rows<{ query: string }>(executed)).map(({ query }) => query)
        assert.deepStrictEqual(queries, plan.sinks[0]!.statements)

        const next: Plan = JSON.parse((yield* sluice("plan", "--json")).stdout)
        assert.deepStrictEqual(next.sinks[0]!.statements, [])
        assert.deepInclude(next.sinks[0]!.checks, {
          what: "SELECT, INSERT, UPDATE, DELETE on its tables",
          result: "ok"
        })
      }),
    120_000
  )

  it.live(
    "names the rights that are missing, and ends as the run would",
    () =>
      Effect.gen(function* () {
        const { sluice } = yield* setUp({ owned: false })
        const planned = yield* sluice("plan")
        assert.strictEqual(planned.code, 1, planned.stderr)
        assert.match(planned.stdout, /^ {11}lacks: CREATE on the database, for the schema$/m)
        assert.strictEqual((yield* sluice("run")).code, 1)
      }),
    120_000
  )
})
