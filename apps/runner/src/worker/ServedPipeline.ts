import { databaseName } from "@sluice/sink-postgres"
import { Effect, FileSystem, Option, Path } from "effect"
import { embeddedLedger, type LedgerSettings } from "../ApiSettings.ts"
import { type CliError, invalid } from "../CliError.ts"
import { loadPipelineFile, type PipelineFile } from "../PipelineFile.ts"
import type { Schedule } from "../schedule/Schedule.ts"

/** A pipeline that a worker serves. */
export interface ServedPipeline {
  readonly loaded: PipelineFile
  readonly name: string
  readonly schedule: Schedule
  /** The database that its runs and ticks are in. */
  readonly database: LedgerSettings
  readonly databaseName: string
}

/** The most pipelines of one worker. */
const mostPipelines = 10_000

/**
 * The pipelines of files, and of the pipeline files in directories. A file that is named must have a schedule; files of a
 * directory without one are skipped. Two pipelines of one name in one database are refused: they would take each other's runs.
 */
export const loadServed = Effect.fnUntraced(function* (
  paths: ReadonlyArray<string>
): Effect.fn.Return<ReadonlyArray<ServedPipeline>, CliError, FileSystem.FileSystem | Path.Path> {
  const found = (yield* Effect.forEach(paths, filesAt)).flat()
  if (found.length > mostPipelines) {
    return yield* invalid(`a worker serves at most ${mostPipelines} pipelines, and these are ${found.length} files`)
  }
  const served: Array<ServedPipeline> = []
  for (const { file, isNamed } of found) {
    const loaded = yield* loadPipelineFile(Option.some(file))
    if (Option.isNone(loaded.schedule)) {
      if (!isNamed) continue
      return yield* invalid(
        `${file} has no schedule: add one, such as schedule: "0 3 * * *", or run it with: sluice run ${file}`
      )
    }
    const database = Option.getOrElse(
      Option.orElse(loaded.ledger, () => loaded.postgres),
      () => embeddedLedger
    )
    const one = {
      loaded,
      name: loaded.pipeline.name,
      schedule: loaded.schedule.value,
      database,
      databaseName: databaseName(database)
    }
    const twin = served.find((other) => other.name === one.name && other.databaseName === one.databaseName)
    if (twin !== undefined) {
      return yield* invalid(
        `${twin.loaded.file} and ${file} both describe a pipeline named "${one.name}" in one database: rename one of them`
      )
    }
    served.push(one)
  }
  if (served.length === 0) {
    return yield* invalid(
      `there is no pipeline with a schedule in ${paths.join(", ")}: add schedule: "0 3 * * *" to a file`
    )
  }
  return served
})

const filesAt = Effect.fnUntraced(function* (named: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const info = yield* files.stat(named).pipe(Effect.mapError(() => invalid(`there is no file or directory ${named}`)))
  if (info.type !== "Directory") return [{ file: named, isNamed: true }]
  const entries = yield* files
    .readDirectory(named)
    .pipe(Effect.mapError(() => invalid(`${named} cannot be read: check that you may read it`)))
  return entries
    .filter((name) => /\.(ya?ml|json)$/.test(name) && !name.startsWith("."))
    .sort()
    .map((name) => ({ file: path.join(named, name), isNamed: false }))
})
