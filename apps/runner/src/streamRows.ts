import { type Database, type DatabaseError, Postgres } from "@sluice/sink-postgres"
import { Effect } from "effect"
import { type CliError, invalid } from "./CliError.ts"
import { NotInParquet } from "./parquetFormat.ts"
import type { OutputClosed, RowOutput } from "./RowOutput.ts"
import { type RowFormat, rowEncoder } from "./rowFormats.ts"

/** Which rows are written, how and where. */
export interface RowStream {
  readonly sql: string
  readonly options: Postgres.QueryOptions
  readonly format: RowFormat
  /** How many columns a cell of a table may take; undefined: it is not cut. */
  readonly cell: number | undefined
  readonly output: RowOutput
}

/** Writes the rows of a statement as they come: memory is bounded, however many they are and however slow their reader is. */
export const streamRows = Effect.fnUntraced(function* (
  database: Database,
  { cell, format, options, output, sql }: RowStream
): Effect.fn.Return<Postgres.RowsRead, DatabaseError | CliError | OutputClosed> {
  const encoder = rowEncoder(format, { cell })
  let isBegun = false
  const encoded = (encode: () => string | Uint8Array): Effect.Effect<string | Uint8Array, CliError> =>
    Effect.try({
      try: encode,
      catch: (cause) => {
        if (cause instanceof NotInParquet) return invalid(cause.message)
        throw cause
      }
    })
  const read = yield* Postgres.readRows(database, sql, options, ({ columns, rows }) =>
    Effect.gen(function* () {
      if (!isBegun) {
        if (format === "parquet" && columns.length === 0)
          return yield* invalid("the statement answers no columns, and Parquet needs one: choose another --format")
        yield* output(yield* Effect.promise(() => encoder.begin(columns)))
        isBegun = true
      }
      yield* output(yield* encoded(() => encoder.rows(rows)))
    })
  )
  yield* output(yield* encoded(encoder.end))
  return read
})
