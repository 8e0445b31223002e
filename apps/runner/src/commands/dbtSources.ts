import { type CatalogRelation, Postgres } from "@sluice/sink-postgres"
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { stringify } from "yaml"
import { invalid } from "../CliError.ts"
import { databaseCliError } from "../cliErrors.ts"
import { openDatabase } from "../database.ts"
import { printResult } from "../Output.ts"
import { pipelineArgument } from "./run.ts"

/** `sluice dbt-sources`: describes what has landed to dbt. */
export const dbtSources = Command.make(
  "dbt-sources",
  {
    file: pipelineArgument,
    name: Flag.String("name").pipe(Flag.withDescription("Name of the dbt source"), Flag.withDefault("sluice"))
  },
  Effect.fnUntraced(function* ({ file, name }) {
    const { config, database } = yield* openDatabase(file, { mustExist: true })
    const found = yield* Postgres.catalog(database).pipe(Effect.mapError(databaseCliError))
    if (found === undefined) {
      return yield* invalid(`schema "${config.schema}" holds no tables of Sluice yet: run "sluice migrate" first`)
    }
    const source = {
      name,
      description: "Web crawls landed by Sluice",
      database: found.database,
      schema: config.schema,
      tables: found.relations.map(describe)
    }
    // `printResult` ends the line.
    yield* printResult(stringify({ version: 2, sources: [source] }, { lineWidth: 0 }).trimEnd())
  }, Effect.scoped)
).pipe(Command.withDescription("Print a dbt sources.yml of the tables and views, with their comments"))

const describe = ({ columns, comment, name }: CatalogRelation) => ({
  name,
  description: comment ?? "",
  columns: columns.map((column) => ({
    name: column.name,
    data_type: column.type,
    description: column.comment ?? ""
  }))
})
