import { assert, describe, layer } from "@effect/vitest"
import { Postgres } from "@sluice/sink-postgres"
import { createDatabase, type OwnPostgres, ownPostgres, pooler, poolerPath } from "@sluice/testkit"
import { Config, Context, Effect, Layer, Option } from "effect"
import { livedThrough, pagesOfLife } from "./livedThrough.ts"

/** Settings that a role or a database may carry, each with a value that is not the server's default. */
const hostile: ReadonlyArray<readonly [name: string, value: string]> = [
  ["DateStyle", "SQL, DMY"],
  ["DateStyle", "German"],
  ["DateStyle", "Postgres, MDY"],
  ["IntervalStyle", "iso_8601"],
  ["TimeZone", "Asia/Kathmandu"],
  ["TimeZone", "America/St_Johns"],
  ["client_encoding", "LATIN1"],
  ["client_encoding", "SJIS"],
  ["standard_conforming_strings", "off"],
  ["backslash_quote", "on"],
  ["escape_string_warning", "off"],
  ["bytea_output", "escape"],
  ["search_path", "decoy, pg_catalog"],
  ["extra_float_digits", "-15"],
  ["lc_numeric", "C"],
  ["xmloption", "document"],
  ["xmlbinary", "hex"],
  ["array_nulls", "off"],
  ["transform_null_equals", "on"],
  ["quote_all_identifiers", "on"],
  ["default_transaction_isolation", "serializable"],
  ["default_transaction_deferrable", "on"],
  ["row_security", "off"],
  ["session_replication_role", "replica"],
  ["jit", "on"],
  ["jit_above_cost", "0"],
  ["plan_cache_mode", "force_generic_plan"],
  ["synchronous_commit", "off"],
  ["check_function_bodies", "off"],
  ["default_toast_compression", "pglz"],
  ["client_min_messages", "debug5"],
  ["enable_indexscan", "off"],
  ["enable_seqscan", "off"],
  ["from_collapse_limit", "1"],
  ["work_mem", "64kB"]
]

/** A role whose settings are these, in a database of its own, and how it is reached. */
const hostileDatabase = Effect.fnUntraced(function* (
  serverUrl: string,
  settings: ReadonlyArray<readonly [string, string]>
) {
  const server = yield* Postgres.open({ url: serverUrl })
  const role = `role_${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`
  yield* server.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'secret'`)
  const url = new URL(yield* createDatabase({ url: serverUrl, label: "" }))
  const database = url.pathname.slice(1)
  for (const [at, [name, value]] of settings.entries()) {
    // In part of the role, in part of the database.
    const target = at % 2 === 0 ? `ROLE ${role}` : `DATABASE ${database}`
    const written = name === "search_path" ? value : `'${value}'`
    yield* server.query(`ALTER ${target} SET ${name} = ${written}`)
  }
  url.username = role
  url.password = "secret"
  return url.href
})

/** Some of the settings, one of a name, by a seed. */
const drawn = (seed: number): ReadonlyArray<readonly [string, string]> => {
  let state = seed
  const byName = new Map<string, string>()
  for (const [name, value] of hostile) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    if (state >>> 31 === 1 || byName.size === 0) byName.set(name, value)
  }
  return [...byName]
}

/** All at once; each alone, and more draws, in a soak. */
const casesOf = Effect.map(Config.option(Config.String("SLUICE_LONG_TESTS")), (long) => {
  const day = Math.floor(Date.now() / 86_400_000)
  const all = [...new Map(hostile)]
  const draws = Array.from({ length: Option.isSome(long) ? 30 : 1 }, (_, at) => drawn(day * 100 + at))
  return [all, ...draws, ...(Option.isSome(long) ? hostile.map((one) => [one]) : [])]
})

/** A server whose roles and databases may have any settings. */
class Server extends Context.Service<Server, OwnPostgres>()("@sluice/test/e2e/HostileSettings") {
  static readonly layer = Layer.effect(this, ownPostgres({ settings: ["max_connections=100"] }))
}

describe("settings of a role and of a database", { concurrent: true }, () => {
  layer(Server.layer, { excludeTestServices: true })((it) => {
    it.effect(
      "never change what is read or written: run, resume, query, runs, audit and replay are those of the default",
      () =>
        Effect.gen(function* () {
          const server = yield* Server
          const expected = yield* livedThrough(yield* hostileDatabase(server.url, []))
          assert.strictEqual(expected.receipt.pages.completed + expected.receipt.pages.failed, pagesOfLife)
          assert.isNotEmpty(expected.letters)
          for (const settings of yield* casesOf) {
            const lived = yield* livedThrough(yield* hostileDatabase(server.url, settings))
            assert.deepStrictEqual(lived, expected, JSON.stringify(settings))
          }
        }),
      600_000
    )

    it.effect.skipIf(poolerPath === undefined)(
      `never change it through a pooler of transactions either${poolerPath === undefined ? " (skipped: PgBouncer is not installed)" : ""}`,
      () =>
        Effect.gen(function* () {
          const server = yield* Server
          const through = Effect.fnUntraced(function* (settings: ReadonlyArray<readonly [string, string]>) {
            const url = yield* hostileDatabase(server.url, settings)
            const route = yield* pooler({ url, label: "" })
            return yield* livedThrough(route(url))
          })
          const expected = yield* through([])
          for (const settings of yield* casesOf) assert.deepStrictEqual(yield* through(settings), expected)
        }),
      600_000
    )
  })
})
