import { quoteName } from "./Database.ts"

/**
 * Settings a role or a database may carry that change what a statement means or how its result is written, with the value
 * that Sluice's own statements are written for: the server's default, but for the time zone, which is UTC everywhere, and row level
 * security.
 *
 * What a DBA sets as a guard (timeouts, read-only, limits) and what decides only how fast or where something is stored is not
 * among them.
 */
const pinnedSettings: Readonly<Record<string, string>> = {
  array_nulls: "on",
  bytea_output: "hex",
  client_encoding: "UTF8",
  DateStyle: "ISO, MDY",
  extra_float_digits: "1",
  gin_fuzzy_search_limit: "0",
  IntervalStyle: "postgres",
  lc_monetary: "C",
  lc_numeric: "C",
  lc_time: "C",
  plan_cache_mode: "auto",
  quote_all_identifiers: "off",
  // Where a policy would hide or refuse rows, a statement fails: a ledger that sees half of its rows would pay again.
  row_security: "off",
  standard_conforming_strings: "on",
  TimeZone: "UTC",
  transform_null_equals: "off",
  xmlbinary: "base64",
  xmloption: "content",
  // Never pays for statements as short as ours.
  jit: "off"
}

const pins = Object.entries(pinnedSettings)
  .map(([name, value]) => `; SET LOCAL ${name} = '${value}'`)
  .join("")

/** Whether the server refuses every write of a database's transactions. */
export interface Access {
  readonly readOnly?: boolean
}

/**
 * What every transaction begins with, in one round trip. Settings are local to it, so that a pooler between us and the server
 * does no harm, and neither does what another client has left on its connection.
 */
export const beginStatement = (schema: string, { readOnly = false }: Access = {}): string =>
  `BEGIN ISOLATION LEVEL READ COMMITTED${readOnly ? " READ ONLY" : ""}; SET LOCAL search_path TO ${quoteName(schema)}${pins}`
