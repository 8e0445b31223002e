import type { Effect } from "effect"
import type { Column, Row } from "./Columns.ts"
import { jsonLines } from "./JsonLines.ts"
import { compressionOf, type LakeOptions } from "./LakeOptions.ts"
import { parquet } from "./ParquetPart.ts"

/** A way to write rows as one object. The same rows become the same bytes. */
export interface PartFormat {
  readonly extension: string
  readonly contentType: string
  readonly encode: (columns: ReadonlyArray<Column>, rows: ReadonlyArray<Row>) => Effect.Effect<Uint8Array>
}

/** The format a sink was told to write. */
export const partFormat = (options: Pick<LakeOptions, "compression" | "format">): PartFormat =>
  options.format === "jsonl" ? jsonLines(compressionOf(options)) : parquet(compressionOf(options))
