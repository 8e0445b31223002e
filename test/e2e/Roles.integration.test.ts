import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { createDatabase } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { canary, directory, run, runJson } from "../../apps/runner/test/Cli.ts"
import { page, servePages } from "../../apps/runner/test/Site.ts"
import { assertCompleted } from "./Crawled.ts"

const manual = readFileSync(fileURLToPath(new URL("../../docs/how-to/postgres-roles.md", import.meta.url)), "utf8")

/** What the manual says gives a role its rights. */
const rightsOf = (role: string): string => {
  const block = new RegExp(`<!-- roles: ${role} -->\n\`\`\`sql\n(.*?)\`\`\``, "s").exec(manual)
  assert.isNotNull(block, role)
  return block![1]!
}

/** A database with three roles, which only here have these names. */
const setUp = Effect.gen(function* () {
  const serverUrl = yield* Config.String("TEST_DATABASE_URL")
  const server = yield* Postgres.open({ url: serverUrl })
  const nonce = crypto.randomUUID().slice(0, 8)
  const roles = ["owner", "loader", "reader"]
  const named = (sql: string) => sql.replace(/\b(owner|loader|reader)\b/g, (role) => `${role}_${nonce}`)
  for (const role of roles) {
    yield* Effect.acquireRelease(server.query(named(`CREATE ROLE ${role} LOGIN PASSWORD '${canary.password}'`)), () =>
      Effect.orDie(server.query(named(`DROP ROLE ${role}`)))
    )
  }
  const url = yield* createDatabase({ url: serverUrl, label: "" })
  const administrator = yield* Postgres.open({ url, schema: "crawl" })
  const give = (role: string) => administrator.transaction((tx) => tx.execute(named(rightsOf(role))))
  const as = (role: string) => {
    const own = new URL(url)
    own.username = named(role)
    own.password = canary.password
    return own.href
  }
  return { give, as }
})

const pipelineOf = (origin: string, mode: string) => `name: ${mode}
source:
  crawl: { url: "${origin}/", depth: 2, limit: 20 }
sinks:
  - postgres: { url: $DATABASE_URL, schema: crawl, mode: ${mode}, retain: { runs: 1 } }
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`

describe("the rights that the manual gives", () => {
  it.live(
    "let the owner make the tables, the loader load in every mode and the reader read, and no more",
    () =>
      Effect.gen(function* () {
        const { as, give } = yield* setUp
        const origin = yield* servePages({ "/": page("home", "/a", "/missing"), "/a": page("a", "/") })
        const cwd = yield* directory
        const loading = { cwd, env: { DATABASE_URL: as("loader") } }
        const modes = ["append", "merge", "replace", "history"]
        for (const mode of modes) writeFileSync(join(cwd, `${mode}.yaml`), pipelineOf(origin, mode))
        yield* give("owner")
        const migrated = yield* run(["migrate", "merge.yaml"], { cwd, env: { DATABASE_URL: as("owner") } })
        assert.strictEqual(migrated.code, 0, migrated.stderr)
        const early = yield* run(["run", "merge.yaml"], loading)
        assert.strictEqual(early.code, 1, early.stderr)
        yield* give("loader")
        yield* give("reader")
        for (const mode of [...modes, ...modes]) {
          assertCompleted(yield* runJson<Receipt>(["run", "--json", `${mode}.yaml`], loading))
        }

        const reader = yield* Postgres.open({ url: as("reader"), schema: "crawl" })
        const [views] = rightsOf("reader").match(/(?<=SELECT ON )[\w,\s]+?(?= TO)/) ?? []
        for (const view of views!.split(",")) {
          const rows = yield* reader.query(`SELECT pipeline FROM ${view}`)
          if (view.trim() !== "changed_pages") assert.isNotEmpty(rows, view)
        }
        assert.isNotEmpty(yield* reader.query("SELECT * FROM links_to($1)", [`${origin}/a`]))
        for (const sql of [
          "SELECT * FROM dead_letters",
          "SELECT * FROM runs",
          "SELECT * FROM pages",
          "DELETE FROM links",
          "UPDATE links SET url = ''",
          "CREATE TABLE mine (n int)"
        ]) {
          assert.strictEqual((yield* Effect.flip(reader.query(sql))).reason._tag, "Denied", sql)
        }
        const loader = yield* Postgres.open({ url: as("loader"), schema: "crawl" })
        for (const sql of ["CREATE TABLE mine (n int)", "DROP TABLE pages", "ALTER TABLE pages ADD COLUMN mine int"]) {
          assert.strictEqual((yield* Effect.flip(loader.query(sql))).reason._tag, "Denied", sql)
        }
      }),
    240_000
  )
})
