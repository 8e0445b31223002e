import { Postgres } from "@sluice/sink-postgres"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { databaseCliError } from "../cliErrors.ts"
import { openDatabase } from "../database.ts"
import { printResult } from "../Output.ts"
import { pipelineArgument } from "./run.ts"

/** `sluice migrate`: prepares the database of a pipeline, or the embedded one. Every run does the same on its own. */
export const migrate = Command.make(
  "migrate",
  { file: pipelineArgument },
  Effect.fnUntraced(function* ({ file }) {
    const { config, database } = yield* openDatabase(file, { mustExist: false })
    const applied = yield* Postgres.migrate(database).pipe(Effect.mapError(databaseCliError))
    yield* printResult(
      applied.length === 0
        ? `schema "${config.schema}" is up to date`
        : `schema "${config.schema}": applied ${applied.join(", ")}`
    )
  }, Effect.scoped)
).pipe(Command.withDescription("Create or upgrade the tables of a pipeline's Postgres"))
