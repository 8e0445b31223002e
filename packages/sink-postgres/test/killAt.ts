import { Effect } from "effect"
import type { Database } from "../src/index.ts"

/**
 * Kills whoever comes to an event: on a server its connection, as the death of a process does; in PGlite, which has but one,
 * its transaction. Answers how to let all live again.
 */
export const killAt = Effect.fnUntraced(function* (database: Database, event: string) {
  const death =
    database.kind === "pg" ? "PERFORM pg_terminate_backend(pg_backend_pid());" : "RAISE EXCEPTION 'the process died';"
  yield* database.query(`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ${death} RETURN NULL; END$$`)
  yield* database.query(`CREATE TRIGGER killer ${event} FOR EACH ROW EXECUTE FUNCTION die()`)
  return { repair: Effect.asVoid(database.query("DROP FUNCTION die CASCADE")) }
})
