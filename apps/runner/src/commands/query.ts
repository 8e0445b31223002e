import type { DatabaseError } from "@sluice/sink-postgres"
import { Duration, Effect, Option, Redacted } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CliError, failed, invalid } from "../CliError.ts"
import { databaseCliError } from "../cliErrors.ts"
import { findDatabase, openDatabase } from "../database.ts"
import { Environment } from "../Environment.ts"
import { limitedProcess } from "../limitedProcess.ts"
import { printResult, tell } from "../Output.ts"
import { placeInSql } from "../placeInSql.ts"
import { standardOutput } from "../RowOutput.ts"
import { type RowFormat, rowFormats } from "../rowFormats.ts"
import { streamRows } from "../streamRows.ts"
import { terminalCell } from "../tableFormat.ts"
import { jsonFlag } from "./run.ts"

/** `sluice query`: SQL on what has landed. */
export const query = Command.make(
  "query",
  {
    sql: Argument.String("SQL").pipe(Argument.withDescription("One statement; tables by their bare names")),
    json: jsonFlag,
    format: Flag.Literals("format", rowFormats).pipe(
      Flag.withDescription("How rows are printed; table when absent. Only a table on a terminal is cut"),
      Flag.optional
    ),
    file: Flag.String("file").pipe(
      Flag.withAlias("pipeline"),
      Flag.withDescription("Pipeline file whose Postgres to ask; sluice.yaml here, else the embedded database"),
      Flag.optional
    ),
    write: Flag.Boolean("write").pipe(
      Flag.withDescription("Let the statement change data; it is refused otherwise"),
      Flag.withDefault(false)
    ),
    timeout: Flag.String("statement-timeout").pipe(
      Flag.withDescription("Cancel the statement after this time: 500ms, 30s, 5min, 1h"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ file, format: asked, json, sql, timeout, write }) {
    const format: RowFormat = json ? "json" : Option.getOrElse(asked, () => "table" as const)
    if (json && Option.isSome(asked) && asked.value !== "json")
      return yield* invalid(`--json and --format ${asked.value} exclude each other: give one of them`)
    const { outputColumns } = yield* Environment
    const isTerminal = outputColumns?.() !== undefined
    if (format === "parquet" && isTerminal)
      return yield* invalid("Parquet is no text for a terminal: write it to a file, as in > rows.parquet")
    const limit = yield* Effect.transposeOption(Option.map(timeout, parseLimit))
    if (Option.isSome(limit)) {
      const { url } = yield* findDatabase(file, { mustExist: true })
      if (url === undefined) {
        const named = Option.match(file, { onNone: () => [], onSome: (path) => ["--file", path] })
        return yield* queryEmbedded(
          ["query", ...named, "--format", format, ...(write ? ["--write"] : []), "--", sql],
          limit.value
        )
      }
    }
    const { database } = yield* openDatabase(file, { mustExist: true })
    const options = { readOnly: !write, timeout: Option.getOrUndefined(Option.map(limit, Duration.toMillis)) }
    const cell = isTerminal ? terminalCell : undefined
    const read = yield* streamRows(database, { sql, options, format, cell, output: yield* standardOutput }).pipe(
      Effect.catchTags({
        DatabaseError: (error) => Effect.fail(queryRefusal(sql, limit)(error)),
        OutputClosed: () =>
          write
            ? Effect.fail(failed("standard output was closed before all rows were printed: nothing was changed"))
            : Effect.succeed({ rows: 0, affected: null })
      })
    )
    if (read.affected === null || !write) return
    const count = `${read.affected} ${read.affected === 1 ? "row" : "rows"} affected`
    yield* format === "table" ? printResult(count) : tell(count)
  }, Effect.scoped)
).pipe(Command.withDescription("Run SQL on what has landed; read-only unless told"))
/** In a process that can be ended: the embedded database knows no timeout. */
const queryEmbedded = Effect.fnUntraced(function* (args: ReadonlyArray<string>, limit: Duration.Duration) {
  const ended = yield* limitedProcess(args, limit)
  if (Option.isNone(ended)) return yield* failed(tooLong(limit))
  const { code, stderr } = ended.value
  if (code === 0) return
  const [first = "the statement could not be run", ...others] = stderr
    .trim()
    .replaceAll(/^sluice: /gm, "")
    .split("\n")
  return yield* new CliError({ sentences: [first, ...others], exitCode: code })
})

const tooLong = (limit: Duration.Duration): string =>
  `the statement took longer than ${Duration.format(limit)} and was cancelled; raise --statement-timeout or ask for less`

const units = { ms: Duration.millis, s: Duration.seconds, min: Duration.minutes, h: Duration.hours } as const

/** A time as Postgres writes it; the longest it can keep is 24 days. */
const parseLimit = (text: string): Effect.Effect<Duration.Duration, CliError> => {
  const [, number, unit] = /^\s*(\d{1,9})\s*(ms|s|min|h)\s*$/.exec(text) ?? []
  const limit = unit === undefined ? undefined : units[unit as keyof typeof units](Number(number))
  return limit === undefined || !Duration.between(limit, { minimum: Duration.millis(1), maximum: Duration.days(24) })
    ? Effect.fail(invalid(`--statement-timeout is a time such as 500ms, 30s, 5min or 1h, and not "${text}"`))
    : Effect.succeed(limit)
}

/** A statement the database refuses is the user's input; a database that does not get so far is not. */
const queryRefusal =
  (sql: string, limit: Option.Option<Duration.Duration>) =>
  (error: DatabaseError): CliError => {
    const { reason } = error
    if (reason._tag === "Unreachable" || error.operation !== "query") return databaseCliError(error)
    if (reason._tag === "Other" && reason.sqlState === "57014") {
      return failed(
        Option.isSome(limit)
          ? tooLong(limit.value)
          : "the statement was cancelled: by the server's statement_timeout, or by somebody"
      )
    }
    // What a statement of the user's own quotes of a row, its rows would have shown.
    const detail = reason._tag === "RejectedData" ? Redacted.value(reason.words) : reason.detail
    const place = reason._tag === "Other" ? placeInSql(sql, reason.position) : ""
    if (/multiple commands/.test(detail))
      return invalid("only one statement at a time is run: remove what follows the first ;")
    const hint = /read-only|may change something/.test(detail) ? "; pass --write to let it change data" : ""
    return invalid(`the statement was refused: ${detail}${place}${hint}`)
  }
