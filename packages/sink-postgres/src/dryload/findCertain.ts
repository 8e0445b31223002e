import type { PageRecord } from "@sluice/core"
import { Effect, Redacted, Schema } from "effect"
import { quoteName, type Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import type { RowRejection } from "../load/Bisection.ts"
import { isUnderstood, likelyRows } from "./likelyRows.ts"

/**
 * The first refusal of made-up pages that every page of the run would meet, whatever is in it. A constraint is tried with rows such as
 * pages make; a trigger's function is read. Nothing where each refusal may be about what only a made-up page lacks.
 */
export const findCertain = Effect.fnUntraced(function* (
  tx: Transaction,
  schema: string,
  refusals: ReadonlyArray<RowRejection>,
  samples: ReadonlyArray<PageRecord>
): Effect.fn.Return<RowRejection | undefined, DatabaseError> {
  for (const refusal of refusals) if (!(yield* dependsOnPage(tx, schema, refusal, samples))) return refusal
  return undefined
})

const dependsOnPage = (
  tx: Transaction,
  schema: string,
  { reason: { constraint, sqlState, words } }: RowRejection,
  samples: ReadonlyArray<PageRecord>
): Effect.Effect<boolean, DatabaseError> => {
  switch (sqlState) {
    // A row that is missing elsewhere, or one that is in the way.
    case "23503":
    case "23505":
    case "23P01":
      return Effect.succeed(true)
    case "23514":
      return constraint === null ? Effect.succeed(true) : checkMayPass(tx, schema, constraint, samples)
    case "P0001":
      return triggerReadsPage(tx, /^the function (\S+) said/.exec(Redacted.value(words))?.[1])
    default:
      return Effect.succeed(false)
  }
}

const Check = Schema.Struct({ table: Schema.String, expression: Schema.String, columns: Schema.Array(Schema.String) })
const decodeChecks = Schema.decodeUnknownEffect(Schema.Array(Check))

const checksOf = `
SELECT r.relname::text AS table, pg_get_expr(c.conbin, c.conrelid) AS expression,
  array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)) AS columns
FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname = $1 AND c.conname = $2 AND c.contype = 'c'`

/** Whether a row that a page may make meets a constraint, as far as is known. One of a type of column is not looked into. */
const checkMayPass = Effect.fnUntraced(function* (
  tx: Transaction,
  schema: string,
  constraint: string,
  samples: ReadonlyArray<PageRecord>
): Effect.fn.Return<boolean, DatabaseError> {
  const checks = yield* Effect.orDie(decodeChecks(yield* tx.query(checksOf, [schema, constraint])))
  if (checks.length === 0) return true
  for (const check of checks) {
    if (check.columns.length === 0) continue
    const rows = likelyRows(check, samples)
    if (rows === undefined || !isUnderstood(check) || (yield* anyMeets(tx, check, rows))) return true
  }
  return false
})

const anyMeets = Effect.fnUntraced(function* (
  tx: Transaction,
  { expression, table }: typeof Check.Type,
  rows: ReadonlyArray<object>
): Effect.fn.Return<boolean, DatabaseError> {
  const name = quoteName(table)
  const [found] = yield* tx.query(
    `SELECT EXISTS (SELECT FROM json_populate_recordset(NULL::${name}, $1::json) AS ${name} WHERE (${expression}) IS NOT FALSE) AS meets`,
    [JSON.stringify(rows)]
  )
  return found?.meets === true
})

/** Whether a trigger's function looks at the row. One that is not found, or is in another language, may. */
const triggerReadsPage = (tx: Transaction, name: string | undefined): Effect.Effect<boolean, DatabaseError> =>
  name === undefined
    ? Effect.succeed(false)
    : Effect.map(
        tx.query(
          `SELECT bool_or(p.prosrc ~* '\\m(new|old)\\M\\s*(\\.|::|\\)|,|<|=|IS)') AS reads
           FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
           WHERE p.proname = $1 AND p.prorettype = 'trigger'::regtype AND l.lanname = 'plpgsql'`,
          [name]
        ),
        ([row]) => row?.reads !== false
      )
