import { Effect } from "effect"
import type { Queryable } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"

// Bits of pg_trigger.tgtype: for each row (1) and before (2).
const droppers = `
SELECT EXISTS (
  SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname IN ('pages', 'links', 'page_metadata') AND NOT t.tgisinternal
    AND t.tgenabled <> 'D' AND t.tgtype & 3 = 3) AS may`

/** Whether somebody's trigger on the tables of pages may keep rows from being written without a word. */
export const mayDropRows = (database: Queryable, schema: string): Effect.Effect<boolean, DatabaseError> =>
  Effect.map(database.query(droppers, [schema]), ([row]) => row?.may === true)
