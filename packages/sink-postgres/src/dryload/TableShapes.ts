import { Effect, Schema } from "effect"
import type { Queryable } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { tableShapes } from "../database/migrations.generated.ts"

const Found = Schema.Struct({
  name: Schema.String,
  kind: Schema.String,
  columns: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      type: Schema.String,
      base: Schema.String,
      is_generated: Schema.Boolean,
      must_be_given: Schema.Boolean
    })
  ),
  keys: Schema.NullOr(Schema.Array(Schema.Array(Schema.String)))
})
type Found = typeof Found.Type
const decodeFound = Schema.decodeUnknownEffect(Schema.Array(Found))

// The base type of a domain is what COPY sends. A key counts when it is valid, whole (no condition) and of columns alone.
const shapesOf = `
SELECT c.relname::text AS name, c.relkind::text AS kind,
  (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'base', format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, NULL),
      'is_generated', a.attgenerated <> '',
      'must_be_given', a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '') ORDER BY a.attnum)
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  (SELECT json_agg((SELECT json_agg(a.attname ORDER BY a.attname) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])))
    FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
      AND i.indexprs IS NULL) AS keys
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`

/** How the tables of a schema differ from those that the migrations make, in a way that no run could be loaded with. */
export const findDifferences = Effect.fnUntraced(function* (
  tx: Queryable,
  schema: string
): Effect.fn.Return<ReadonlyArray<string>, DatabaseError> {
  const rows = yield* tx.query(shapesOf, [schema, `{${Object.keys(tableShapes).join(",")}}`])
  const found = new Map((yield* Effect.orDie(decodeFound(rows))).map((table) => [table.name, table]))
  return Object.entries(tableShapes).flatMap(([name, shape]) => {
    const table = found.get(name)
    if (table === undefined) return [`the table "${name}" is missing`]
    if (!isTable(table)) return [`"${name}" is not a table any more`]
    return [...differingColumns(table, shape.columns), ...missingKeys(table, shape.keys)]
  })
})

const isTable = ({ kind }: Found): boolean => kind === "r" || kind === "p"

const differingColumns = ({ columns, name: table }: Found, wanted: Readonly<Record<string, string>>) => {
  const known = new Map(columns.map((column) => [column.name, column]))
  const others = columns.filter((column) => wanted[column.name] === undefined)
  const missing = Object.entries(wanted).flatMap(([name, type]) => {
    const column = known.get(name)
    const where = `the column "${name}" of the table "${table}"`
    if (column === undefined) {
      const renamed = others.find((other) => other.type === type)
      return [`${where} is missing${renamed === undefined ? "" : `; was it renamed to "${renamed.name}"?`}`]
    }
    if (column.is_generated) return [`${where} is generated, and cannot be written`]
    return isSentAlike(type, column.base) ? [] : [`${where} is of the type ${column.type} and has to be ${type}`]
  })
  const demanding = others
    .filter(({ must_be_given: mustBeGiven }) => mustBeGiven)
    .map(
      ({ name }) =>
        `the column "${name}" of the table "${table}" is not Sluice's, must not be null and has no default; give it one`
    )
  return [...missing, ...demanding]
}

/** Types that are sent as the same bytes: all kinds of text are. */
const isSentAlike = (wanted: string, base: string): boolean =>
  wanted === base || (wanted === "text" && ["character varying", "character", "citext"].includes(base))

const missingKeys = ({ keys, name: table }: Found, wanted: ReadonlyArray<ReadonlyArray<string>>) => {
  const known = new Set((keys ?? []).map((columns) => columns.join()))
  return wanted
    .filter((columns) => !known.has([...columns].sort().join()))
    .map(
      (columns) =>
        `the table "${table}" has no primary key or unique constraint on (${columns.join(", ")}); without it a page could be doubled`
    )
}
