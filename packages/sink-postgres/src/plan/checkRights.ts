import type { StoreCheck } from "@sluice/core/sink"
import { Effect } from "effect"
import { type Database, quoteName } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { tableNames } from "../database/migrations.generated.ts"

const tableRights = ["SELECT", "INSERT", "UPDATE", "DELETE"] as const

const ofTables = `
SELECT c.relname::text AS name, r.right_name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN unnest($2::text[]) AS r (right_name)
WHERE n.nspname = $1 AND c.relname = ANY ($3::text[]) AND NOT has_table_privilege(c.oid, r.right_name)
ORDER BY 1, 2`

const ofPlace = `
SELECT has_database_privilege(current_database(), 'TEMPORARY') AS may_stage,
  has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
  (SELECT has_schema_privilege(n.oid, 'USAGE') FROM pg_namespace n WHERE n.nspname = $1) AS may_use,
  (SELECT has_schema_privilege(n.oid, 'CREATE') FROM pg_namespace n WHERE n.nspname = $1) AS may_create`

/** The rights that a run needs, by the catalogs alone: to prepare the schema where it is not current, and to load. */
export const checkRights = Effect.fnUntraced(function* (
  database: Database,
  { isCurrent, isPrepared }: { readonly isCurrent: boolean; readonly isPrepared: boolean }
): Effect.fn.Return<ReadonlyArray<StoreCheck>, DatabaseError> {
  const { schema } = database
  const [place] = yield* database.query(ofPlace, [schema])
  const check = (what: string, has: unknown): StoreCheck => ({ what, result: has === true ? "ok" : "missing" })
  const checks = [check("TEMPORARY on the database", place?.may_stage)]
  if (typeof place?.may_use !== "boolean") {
    return [...checks, check("CREATE on the database, for the schema", place?.may_create_schema)]
  }
  checks.push(check(`USAGE on schema ${quoteName(schema)}`, place.may_use))
  if (!isCurrent) checks.push(check(`CREATE on schema ${quoteName(schema)}`, place.may_create))
  if (!isPrepared) return checks
  const missing = yield* database.query(ofTables, [schema, `{${tableRights.join(",")}}`, `{${tableNames.join(",")}}`])
  if (missing.length === 0) return [...checks, check(`${tableRights.join(", ")} on its tables`, true)]
  return [...checks, ...missing.map((row) => check(`${row.right_name} on table "${row.name}"`, false))]
})
