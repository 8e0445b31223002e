import { Postgres } from "@sluice/sink-postgres"
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { openDatabase } from "../database.ts"
import { printResult } from "../Output.ts"
import { failed, invalid } from "../Refusal.ts"
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
    const rows = yield* Postgres.query(database, sql, { readOnly: !write }).pipe(
      Effect.mapError((error) =>
        error.reason._tag === "Unreachable" || error.reason._tag === "Denied"
          ? failed(error.message)
          : invalid(`the statement was refused: ${error.message}`)
      )
    )
    yield* printResult(json ? JSON.stringify(rows) : describeTable(rows))
  }, Effect.scoped)
).pipe(Command.withDescription("Run SQL on what has landed; read-only unless told"))
