import { jsonLines } from "./JsonLines.ts"
import { compressionOf, type LakeOptions } from "./LakeOptions.ts"
import { parquet } from "./ParquetPart.ts"
import type { PartFormat } from "./PartFormat.ts"

/** The format a sink was told to write. */
export const formatOf = (options: Pick<LakeOptions, "compression" | "format">): PartFormat =>
  options.format === "jsonl" ? jsonLines(compressionOf(options)) : parquet(compressionOf(options))
