import { stat } from "node:fs/promises"
import { extname, join } from "node:path"
import { type Dataset, datasets } from "@sluice/core/sink"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { invalid } from "../CliError.ts"
import { databaseCliError } from "../cliErrors.ts"
import { openDatabase } from "../database.ts"
import { Environment } from "../Environment.ts"
import { exportStatements } from "../exportStatements.ts"
import { tell } from "../Output.ts"
import { loadPipelineFile } from "../PipelineFile.ts"
import { fileOutput, standardOutput } from "../RowOutput.ts"
import { type RowFormat, rowFormats } from "../rowFormats.ts"
import { streamRows } from "../streamRows.ts"
import { terminalCell } from "../tableFormat.ts"
import { pipelineArgument } from "./run.ts"

/** Formats by the names that files of them end with. */
const endings: Readonly<Record<string, RowFormat>> = {
  ".csv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "json",
  ".md": "markdown",
  ".parquet": "parquet",
  ".txt": "table"
}

const endingOf: Readonly<Record<RowFormat, string>> = {
  csv: ".csv",
  jsonl: ".jsonl",
  json: ".json",
  markdown: ".md",
  parquet: ".parquet",
  table: ".txt"
}

/** `sluice export`: the datasets of a pipeline as files. */
export const exportRows = Command.make(
  "export",
  {
    file: pipelineArgument,
    dataset: Flag.Literals("dataset", datasets).pipe(
      Flag.withDescription("One dataset; pages when absent, or all four where --to names a directory"),
      Flag.optional
    ),
    format: Flag.Literals("format", rowFormats).pipe(
      Flag.withDescription("How rows are written; by the ending of --to when absent, else csv"),
      Flag.optional
    ),
    to: Flag.String("to").pipe(
      Flag.withDescription("File, or directory for a file each; standard output when absent"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ dataset, file, format: asked, to }) {
    const loaded = yield* loadPipelineFile(file)
    const path = Option.getOrUndefined(to)
    const isDirectory = path !== undefined && (path.endsWith("/") || (yield* isDirectoryAt(path)))
    const ending = path === undefined || isDirectory ? undefined : endings[extname(path).toLowerCase()]
    const format = Option.getOrElse(asked, () => ending ?? ("csv" as const))
    const { outputColumns } = yield* Environment
    const isTerminal = path === undefined && outputColumns?.() !== undefined
    if (format === "parquet" && isTerminal)
      return yield* invalid("Parquet is no text for a terminal: write it to a file with --to")
    const chosen: ReadonlyArray<Dataset> = Option.isSome(dataset) ? [dataset.value] : isDirectory ? datasets : ["pages"]
    const { database } = yield* openDatabase(Option.some(loaded.file), { mustExist: true })
    for (const one of chosen) {
      const target = path === undefined ? undefined : isDirectory ? join(path, `${one}${endingOf[format]}`) : path
      const { rows } = yield* Effect.scoped(
        Effect.gen(function* () {
          const output = target === undefined ? yield* standardOutput : yield* fileOutput(target)
          return yield* streamRows(database, {
            sql: exportStatements[one],
            options: { parameters: [loaded.pipeline.name] },
            format,
            cell: isTerminal ? terminalCell : undefined,
            output
          })
        })
      ).pipe(
        Effect.catchTags({
          DatabaseError: (error) => Effect.fail(databaseCliError(error)),
          OutputClosed: () => Effect.succeed({ rows: 0, affected: null })
        })
      )
      if (target !== undefined) yield* tell(`${one}: ${rows} ${rows === 1 ? "row" : "rows"} to ${target}`)
    }
  }, Effect.scoped)
).pipe(Command.withDescription("Write the pages, links, metadata or token counts of a pipeline as a file or a stream"))

const isDirectoryAt = (path: string): Effect.Effect<boolean> =>
  Effect.promise(() =>
    stat(path).then(
      (found) => found.isDirectory(),
      () => false
    )
  )
