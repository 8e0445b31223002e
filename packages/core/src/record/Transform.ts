import { Schema } from "effect"
import picomatch from "picomatch"
import { type PageRecord, PageStatus, weigh } from "./PageRecord.ts"

/** The members of a record that can be dropped. `metadata` is status, duration, retries and tokens. */
const Droppable = Schema.Literals(["markdown", "html", "links", "metadata"])

/** Which records to keep: those to which every given condition applies. `url` is a glob over the whole URL. */
const SelectOptions = Schema.Struct({
  status: Schema.optionalKey(Schema.Array(PageStatus).check(Schema.isMinLength(1))),
  url: Schema.optionalKey(Schema.NonEmptyString),
  max_depth: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)))
}).check(
  Schema.makeFilter((conditions) => Object.keys(conditions).length > 0, {
    expected: "at least one of status, url and max_depth"
  })
)

/** A transform as a pipeline file writes it: exactly one of `select` and `drop`. */
export const TransformConfig = Schema.Struct({
  select: Schema.optionalKey(SelectOptions),
  drop: Schema.optionalKey(Schema.Array(Droppable).check(Schema.isMinLength(1)))
})
  .check(Schema.makeFilter((config) => Object.keys(config).length === 1, { expected: "exactly one of select, drop" }))
  .annotate({ identifier: "Transform" })

/** A step between source and sinks: gives back the record, another in its place, or null to drop it. */
export interface Transform {
  /** What it does, as plain JSON: part of the pipeline's hash. */
  readonly config: Schema.Json
  readonly apply: (record: PageRecord) => PageRecord | null
}

/** Keeps the records to which every given condition applies. A record without depth passes `max_depth`. */
const select = (options: typeof SelectOptions.Type): Transform => {
  const { max_depth: maxDepth, status, url } = options
  const matches = url === undefined ? undefined : picomatch(url, { dot: true })
  return {
    config: { select: { ...options } },
    apply: (record) =>
      (status === undefined || status.includes(record.status)) &&
      (matches === undefined || matches(record.url)) &&
      (maxDepth === undefined || record.depth === null || record.depth <= maxDepth)
        ? record
        : null
  }
}

/** Empties members of every record: the row stays, what it held is null or has no rows. */
const drop = (members: ReadonlyArray<typeof Droppable.Type>): Transform => {
  const empty: Partial<PageRecord> = {
    ...(members.includes("markdown") ? { markdown: null } : {}),
    ...(members.includes("html") ? { html: null } : {}),
    ...(members.includes("links") ? { links: [] } : {}),
    ...(members.includes("metadata")
      ? { httpStatus: null, durationMs: null, retryCount: null, tokensCharged: null }
      : {})
  }
  return { config: { drop: [...members] }, apply: (record) => reweigh({ ...record, ...empty }) }
}

/**
 * A step in TypeScript. The name stands for the function in the pipeline's hash: change it when the function changes. Job
 * and key of the record stay what they were.
 */
const map = (name: string, f: (record: PageRecord) => PageRecord | null): Transform => ({
  config: { map: name },
  apply: (record) => {
    const mapped = f(record)
    return mapped === null ? null : reweigh({ ...mapped, jobId: record.jobId, key: record.key })
  }
})

const fromConfig = (config: typeof TransformConfig.Type): Transform =>
  config.select !== undefined ? select(config.select) : drop(config.drop!)

/**
 * The steps between source and sinks: `select` keeps records by status, URL glob or depth, `drop` empties members, `map` is a
 * function of yours, `fromConfig` reads a step of a pipeline file.
 *
 * A dropped record is paid for and counted, and has no row. Steps are part of the pipeline's hash, and `map` only by its
 * name: change the name when the function changes. They do not fail; what a function throws ends the run.
 *
 * @example
 * ```ts
 * import { Transform } from "@sluice/core"
 *
 * const steps = [
 *   Transform.select({ status: ["completed"], url: "https://example.com/docs/**", max_depth: 3 }),
 *   Transform.drop(["html"]),
 *   Transform.map("trim-v1", (record) => ({ ...record, markdown: record.markdown?.trim() ?? null }))
 * ]
 * ```
 */
export const Transform = { select, drop, map, fromConfig }

const reweigh = (record: PageRecord): PageRecord => ({ ...record, bytes: weigh(record) })
