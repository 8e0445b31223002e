import { embeddedDirectory, Postgres, PostgresLedger } from "@sluice/sink-postgres"
import { Effect, FileSystem, Option, Path } from "effect"
import { embeddedLedger, type LedgerSettings } from "./ApiSettings.ts"
import { invalid } from "./CliError.ts"
import { databaseCliError } from "./cliErrors.ts"
import { homeOf, makeResolve } from "./home.ts"
import { ledgerAt } from "./Machine.ts"
import { findPipelineFile, loadPipelineFile, type PipelineFile } from "./PipelineFile.ts"

/**
 * The database a command is about, open for the scope: that of the named pipeline file, of the one in the working
 * directory, or the embedded one. `mustExist` refuses to make an embedded database that is not there.
 */
export const openDatabase = Effect.fnUntraced(function* (
  named: Option.Option<string>,
  options: { readonly mustExist: boolean }
) {
  const config = yield* findDatabase(named, options)
  const database = yield* Postgres.open(config).pipe(Effect.mapError(databaseCliError))
  return { database, config }
})

/** The settings of that database. */
export const findDatabase = Effect.fnUntraced(function* (
  named: Option.Option<string>,
  options: { readonly mustExist: boolean }
) {
  const file = yield* loadIfFound(named)
  const settings = Option.flatMap(file, ({ postgres }) => postgres)
  if (Option.isSome(file) && Option.isNone(settings)) {
    return yield* invalid(`${file.value.file} has no postgres sink`)
  }
  const config: LedgerSettings = Option.isSome(settings) ? settings.value : yield* embeddedHere
  if (options.mustExist) yield* assertExists(config)
  return config
})

/** The embedded database where there is no pipeline file: below `SLUICE_HOME` or the working directory. */
const embeddedHere = Effect.gen(function* () {
  return ledgerAt(embeddedLedger, yield* makeResolve(yield* homeOf(undefined)))
})

/** The named pipeline file, the one in the working directory, or none. */
export const loadIfFound = Effect.fnUntraced(function* (named: Option.Option<string>) {
  const found = yield* findPipelineFile(named)
  return Option.isNone(found) ? Option.none<PipelineFile>() : Option.some(yield* loadPipelineFile(found))
})

/** Refuses an embedded database that is not there: nothing has been run into it. */
const assertExists = Effect.fnUntraced(function* ({ directory = embeddedDirectory, url }: LedgerSettings) {
  if (url !== undefined) return
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const exists = yield* files.exists(path.resolve(directory)).pipe(Effect.orElseSucceed(() => false))
  if (!exists) return yield* invalid(`there is no embedded database in ${directory}: run a pipeline here first`)
})

/** The ledger in a database, which is prepared; open for the scope. */
export const openLedger = Effect.fnUntraced(function* (config: LedgerSettings) {
  const database = yield* Postgres.open(config).pipe(Effect.mapError(databaseCliError))
  yield* Postgres.migrate(database).pipe(Effect.mapError(databaseCliError))
  return PostgresLedger.make(database)
})

/** The ledger that a pipeline file that has been read leaves its runs in. */
export const openRunsOf = (file: Option.Option<PipelineFile>) => Effect.map(openRunsDatabase(file), PostgresLedger.make)

/** The database of that ledger. */
export const openRunsDatabase = (file: Option.Option<PipelineFile>) =>
  Effect.flatMap(ledgerSettings(file), (config) => Postgres.open(config).pipe(Effect.mapError(databaseCliError)))

/** Where a pipeline file, or none at all, leaves its runs. */
export const ledgerSettings = Effect.fnUntraced(function* (file: Option.Option<PipelineFile>) {
  const known = Option.flatMap(
    file,
    ({ ledger, postgres }): Option.Option<LedgerSettings> => Option.orElse(ledger, () => postgres)
  )
  const config = Option.isSome(known) ? known.value : yield* embeddedHere
  yield* assertExists(config)
  return config
})
