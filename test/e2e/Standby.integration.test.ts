import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Postgres } from "@sluice/sink-postgres"
import { makeSite, ownPostgres, Simulator } from "@sluice/testkit"
import { Effect, Redacted, Schedule } from "effect"
import { directory, run } from "../../apps/runner/test/Cli.ts"

/** A directory that a server's own user may enter. */
const openDirectory = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "sluice-standby-"))
    chmodSync(path, 0o755)
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe("a standby that follows its primary", () => {
  it.live(
    "is refused in a sentence of its own before anything is paid, and answers what only reads",
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({ site: makeSite({ pages: 3 }) })
        const parent = yield* openDirectory
        const primary = yield* ownPostgres({ directory: parent })
        const cwd = yield* directory
        writeFileSync(
          join(cwd, "docs.yaml"),
          `name: docs
source:
  crawl: { url: "https://site.test/", limit: 3 }
sinks:
  - postgres: { url: $DATABASE_URL }
`
        )
        const api = {
          SCRAPER_API_BASE_URL: simulator.baseUrl,
          GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
        }
        const on = (url: string) => ({ cwd, env: { ...api, DATABASE_URL: url } })
        const migrated = yield* run(["migrate", "docs.yaml"], on(primary.url))
        assert.strictEqual(migrated.code, 0, migrated.stderr)

        yield* primary.halt("fast")
        const standby = yield* ownPostgres({ standbyOf: { directory: parent, url: primary.url } })
        yield* primary.start
        const leader = yield* Postgres.open({ url: primary.url })
        const follower = yield* Postgres.open({ url: standby.url })
        yield* leader.query("CREATE TABLE public.arrived AS SELECT 1 AS one")
        yield* Effect.repeat(follower.query("SELECT to_regclass('public.arrived') IS NOT NULL AS is_there"), {
          schedule: Schedule.spaced("20 millis"),
          until: ([row]) => row?.is_there === true
        })

        const refused = yield* run(["run", "docs.yaml"], on(standby.url))
        assert.strictEqual(refused.code, 1, refused.stderr)
        assert.match(refused.stderr, /the server is a standby, which takes no writes: name the primary in the url/)
        assert.strictEqual(simulator.charges.received("POST"), 0)
        const listed = yield* run(["runs", "docs.yaml"], on(standby.url))
        assert.strictEqual(listed.code, 0, listed.stderr)
        const led = yield* run(["run", "docs.yaml"], on(primary.url))
        assert.strictEqual(led.code, 0, led.stderr)
        assert.strictEqual(simulator.charges.received("POST"), 1)
      }),
    120_000
  )
})
