import { Postgres, PostgresSinkConfig } from "@sluice/sink-postgres"
import { Effect, FileSystem, Option, Path, Schema } from "effect"
import { findPipelineFile, loadPipelineFile } from "./PipelineFile.ts"
import { invalid } from "./Refusal.ts"
import { databaseRefusal } from "./refusals.ts"

const embeddedConfig = Schema.decodeSync(PostgresSinkConfig)({})

/**
 * The database a command is about, open for the scope: that of the named pipeline file, of the one in the working
 * directory, or the embedded one. `mustExist` refuses to make an embedded database that is not there.
 */
export const openDatabase = Effect.fnUntraced(function* (
  named: Option.Option<string>,
  options: { readonly mustExist: boolean }
) {
  const found = yield* findPipelineFile(named)
  const file = Option.isNone(found) ? Option.none() : Option.some(yield* loadPipelineFile(found))
  const settings = Option.flatMap(file, ({ postgres }) => postgres)
  if (Option.isSome(file) && Option.isNone(settings)) {
    return yield* invalid(`${file.value.file} has no postgres sink`)
  }
  const config = Option.getOrElse(settings, () => embeddedConfig)
  if (config.url === undefined && options.mustExist) {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const exists = yield* files.exists(path.resolve(config.directory)).pipe(Effect.orElseSucceed(() => false))
    if (!exists) {
      return yield* invalid(`there is no embedded database in ${config.directory}: run a pipeline here first`)
    }
  }
  const database = yield* Postgres.open(config).pipe(Effect.mapError(databaseRefusal))
  return { database, config }
})
