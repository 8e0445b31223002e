import type { Database } from "@sluice/sink-postgres"
import { Effect, Schedule } from "effect"

const definitions = `
SELECT line FROM (
  SELECT format('%s %s %s', relkind, relname, obj_description(oid, 'pg_class')) AS line
  FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT format('column %s.%s %s %s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull,
    pg_get_expr(adbin, adrelid), col_description(c.oid, attnum))
  FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped
  UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT format('view %s %s', viewname, definition) FROM pg_views WHERE schemaname = 'public'
  UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind <> 'a'
) AS lines ORDER BY line COLLATE "C"`

const tables = `SELECT relname AS name FROM pg_class
  WHERE relnamespace = to_regnamespace('public') AND relkind = 'r' AND relname <> 'sluice_migrations' ORDER BY 1`

const others = `SELECT count(*) AS sessions FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`

/** A server works on for a process that has died until it notices; within this time it has. */
const longestEcho = "20 seconds"

/** Waits until a server has ended the sessions of others: what they did is there, or never will be. */
export const othersEnded = (database: Database) =>
  database.kind === "pglite"
    ? Effect.void
    : Effect.repeat(database.query(others), {
        schedule: Schedule.spaced("5 millis"),
        until: ([row]) => Number(row?.sessions) === 0
      }).pipe(Effect.timeout(longestEcho), Effect.asVoid)

/** What the schema of a database holds: its migrations, the definitions they made, and the rows of its tables. */
export const contentsOf = Effect.fnUntraced(function* (database: Database) {
  const text = (sql: string) =>
    Effect.map(database.query(sql), (rows) => rows.map((row) => String(Object.values(row)[0])))
  const [known] = yield* text("SELECT to_regclass('public.sluice_migrations')::text")
  const isPrepared = known !== "null"
  const rows: Record<string, ReadonlyArray<string>> = {}
  for (const table of yield* text(tables)) {
    rows[table] = yield* text(`SELECT to_jsonb(t)::text AS row FROM "${table}" t ORDER BY 1`)
  }
  return {
    ids: isPrepared ? yield* text("SELECT id FROM sluice_migrations ORDER BY id") : [],
    definitions: isPrepared ? yield* text(definitions) : [],
    rows
  }
})

/** Waits until nobody holds a run any more: a process that has died holds it until its lease ends. */
export const leasesEnded = (database: Database) =>
  Effect.repeat(database.query("SELECT count(*) AS held FROM runs WHERE lease_until > now()"), {
    schedule: Schedule.spaced("5 millis"),
    until: ([row]) => Number(row?.held) === 0
  }).pipe(Effect.timeout(longestEcho), Effect.asVoid)
