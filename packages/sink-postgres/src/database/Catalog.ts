import { Effect, Schema } from "effect"
import type { Database } from "./Database.ts"
import type { DatabaseError } from "./DatabaseError.ts"
import { tableNames, viewNames } from "./migrations.generated.ts"

const CatalogColumn = Schema.Struct({ name: Schema.String, type: Schema.String, comment: Schema.NullOr(Schema.String) })

const CatalogRelation = Schema.Struct({
  name: Schema.String,
  kind: Schema.Literals(["table", "view"]),
  comment: Schema.NullOr(Schema.String),
  columns: Schema.Array(CatalogColumn)
})
/** A table or view of Sluice with its columns, in words and types as the database has them. */
export type CatalogRelation = typeof CatalogRelation.Type

const Answer = Schema.Array(Schema.Struct({ database: Schema.String, ...CatalogRelation.fields }))

const relations = `
SELECT current_database()::text AS database, c.relname::text AS name,
  CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END AS kind, obj_description(c.oid, 'pg_class') AS comment,
  json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
    'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'v')
GROUP BY c.oid ORDER BY c.relkind = 'r', c.relname`

/**
 * Lists the tables and views of Sluice in a database's schema, views first; those of others are not among them. Undefined where
 * there are none. Fails with a `DatabaseError`.
 *
 * @example
 * ```ts
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Console, Effect } from "effect"
 *
 * const names = Effect.gen(function* () {
 *   const found = yield* Postgres.catalog(yield* Postgres.open({ directory: "./.sluice/db" }))
 *   for (const { name } of found?.relations ?? []) yield* Console.log(name)
 * }).pipe(Effect.scoped)
 * ```
 */
export const catalog = Effect.fn("Postgres.catalog")(function* (
  database: Database
): Effect.fn.Return<
  { readonly database: string; readonly relations: ReadonlyArray<CatalogRelation> } | undefined,
  DatabaseError
> {
  const names = `{${[...tableNames, ...viewNames].join(",")}}`
  const rows = yield* database.query(relations, [database.schema, names])
  const decoded = yield* Effect.orDie(Schema.decodeUnknownEffect(Answer)(rows))
  const [first] = decoded
  return first && { database: first.database, relations: decoded.map(({ database: _, ...relation }) => relation) }
})
