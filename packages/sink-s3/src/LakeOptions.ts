import { Effect, Schema } from "effect"

/** How runs follow each other: their pages are kept beside each other, or readers see those of the last one alone. */
export const LakeMode = Schema.Literals(["append", "replace"])
export type LakeMode = typeof LakeMode.Type

/** What objects are written as. */
export const LakeFormat = Schema.Literals(["jsonl", "parquet"])
export type LakeFormat = typeof LakeFormat.Type

/** How they are compressed. */
export const Compression = Schema.Literals(["gzip", "zstd", "snappy", "none"])
export type Compression = typeof Compression.Type

const mebibyte = 1024 * 1024

/** What every sink of objects can be told, wherever they are. */
export const lakeFields = {
  /** `append` keeps what every run delivered; `replace` shows readers the last completed run alone. */
  mode: LakeMode.pipe(Schema.withDecodingDefaultKey(Effect.succeed("append"))),
  /** JSON Lines, one row a line, or Parquet. */
  format: LakeFormat.pipe(Schema.withDecodingDefaultKey(Effect.succeed("jsonl"))),
  /** Absent: `gzip` for JSON Lines, `zstd` for Parquet. `snappy` needs Parquet. */
  compression: Schema.optionalKey(Compression),
  /** About how many bytes of pages, uncompressed, make a part. Smaller segments are gathered when their run is published. */
  part_bytes: Schema.Int.check(Schema.isBetween({ minimum: mebibyte, maximum: 512 * mebibyte })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(32 * mebibyte))
  ),
  /** Writes an empty `_SUCCESS` beside a run's parts once it is published, for tools that look for one. */
  success_marker: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(false)))
} as const

/** The settings of {@link lakeFields}, decoded. */
export interface LakeOptions {
  readonly name: string
  readonly mode: LakeMode
  readonly format: LakeFormat
  readonly compression?: Compression
  readonly part_bytes: number
  readonly success_marker: boolean
}

/** Text cannot be compressed by a codec that has no file format of its own. */
export const fitting = Schema.makeFilter<Pick<LakeOptions, "compression" | "format">>(
  ({ compression, format }) =>
    !(format === "jsonl" && compression === "snappy") || {
      path: ["compression"],
      issue: "goes with format parquet alone"
    }
)

/** How a sink compresses where it is not told. */
export const compressionOf = ({ compression, format }: Pick<LakeOptions, "compression" | "format">): Compression =>
  compression ?? (format === "jsonl" ? "gzip" : "zstd")

/** What of the settings changes what becomes of the records. */
export const behaviourOf = (options: LakeOptions) => ({
  mode: options.mode,
  format: options.format,
  compression: compressionOf(options)
})
