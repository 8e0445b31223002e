import { Postgres } from "@sluice/sink-postgres"
import { createDatabase, sampleSeed } from "@sluice/testkit"
import { Effect } from "effect"

type Settings = ReadonlyArray<readonly [name: string, value: string]>

/** Settings that a role or a database may carry, each with a value that is not the server's default. */
const hostile: Settings = [
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
export const hostileDatabase = Effect.fnUntraced(function* (serverUrl: string, settings: Settings) {
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
const drawn = (seed: number): Settings => {
  let state = seed
  const byName = new Map<string, string>()
  for (const [name, value] of hostile) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    if (state >>> 31 === 1 || byName.size === 0) byName.set(name, value)
  }
  return [...byName]
}

/** Draws of a soak. */
const draws = 30

/** All settings at once, and some of them. A soak takes more draws, and each setting alone. */
export const hostileCases = (isLong: boolean): ReadonlyArray<Settings> => [
  [...new Map(hostile)],
  ...Array.from({ length: isLong ? draws : 1 }, (_, at) => drawn(sampleSeed * 100 + at)),
  ...(isLong ? hostile.map((one) => [one]) : [])
]
