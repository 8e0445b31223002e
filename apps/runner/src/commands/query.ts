import { type DatabaseError, Postgres } from "@sluice/sink-postgres"
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { openDatabase } from "../database.ts"
import { printResult } from "../Output.ts"
import { invalid, type Refusal } from "../Refusal.ts"
import { databaseRefusal } from "../refusals.ts"
import { describeTable } from "../table.ts"
import { jsonFlag } from "./run.ts"

/** `sluice query`: SQL on what has landed. */
export const query = Command.make(
  "query",
  {
    sql: Argument.String("SQL").pipe(Argument.withDescription("One statement; tables by their bare names")),
    json: jsonFlag,
    pipeline: Flag.String("pipeline").pipe(
      Flag.withDescription("Pipeline file whose Postgres to ask; sluice.yaml here, else the embedded database"),
      Flag.optional
    ),
    write: Flag.Boolean("write").pipe(
      Flag.withDescription("Let the statement change data; it is refused otherwise"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ json, pipeline, sql, write }) {
    const { database } = yield* openDatabase(pipeline, { mustExist: true })
    const rows = yield* Postgres.query(database, sql, { readOnly: !write }).pipe(Effect.mapError(queryRefusal))
    yield* printResult(json ? JSON.stringify(rows) : describeTable(rows))
  }, Effect.scoped)
).pipe(Command.withDescription("Run SQL on what has landed; read-only unless told"))

/** A statement the database refuses is the user's input; a database that does not get so far is not. */
const queryRefusal = (error: DatabaseError): Refusal => {
  if (error.reason._tag === "Unreachable" || error.operation !== "query") return databaseRefusal(error)
  const { detail } = error.reason
  if (/multiple commands/.test(detail))
    return invalid("only one statement at a time is run: leave out what follows the first ;")
  const hint = /read-only transaction/.test(detail) ? "; pass --write to let it change data" : ""
  return invalid(`the statement was refused: ${detail}${hint}`)
}
