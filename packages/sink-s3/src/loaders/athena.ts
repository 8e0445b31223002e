import { Effect } from "effect"
import { type Column, type ColumnType, columnsOf, type LakeDataset } from "../Columns.ts"
import { datasetRoot, partFolder } from "../Layout.ts"
import type { BucketLoader, Load } from "./Load.ts"
import { LoaderRefused } from "./LoaderRefused.ts"
import type { BucketPlace } from "./Place.ts"
import type { PublishedPart } from "./Published.ts"
import { backslashed, comment, doubled, listed, named, packed, script, ticked } from "./sqlText.ts"

type Format = "jsonl" | "parquet"

/** Types of Hive, which tables have. The SerDe of JSON reads no instant as ISO 8601 writes it. */
const hiveTypes: { readonly [T in ColumnType]: string } = {
  text: "string",
  int: "int",
  long: "bigint",
  key: "bigint",
  instant: "timestamp",
  json: "string"
}

/** Types of Trino, which views have. A view can have none with a time zone: instants are those of UTC. */
const trinoTypes: { readonly [T in ColumnType]: string } = {
  text: "varchar",
  int: "integer",
  long: "bigint",
  key: "bigint",
  instant: "timestamp",
  json: "varchar"
}

/** Athena takes 262,144 bytes a statement; what it keeps of a view it has encoded before. */
const most = { items: 5000, bytes: 100_000 }
/** Names of parts in one condition. */
const namesAtOnce = 1000

/**
 * A table a dataset and format over the folders, with a partition a published run, and a view over it that shows just the
 * published parts, by their names: a folder may hold what a process that died has left.
 */
export const athena: BucketLoader = (load) => {
  const { datasets, place, schema } = load
  if (place.provider !== "amazon") {
    const detail = "Athena reads buckets of Amazon S3 alone, and the endpoint of this sink is another store"
    return Effect.fail(new LoaderRefused({ detail }))
  }
  return Effect.succeed(
    script([
      comment("Athena takes one statement at a time. Read the views; the tables show what no run has published, too."),
      `CREATE DATABASE IF NOT EXISTS ${ticked(schema)};`,
      ...datasets.flatMap((dataset) => statementsOf(load, dataset))
    ])
  )
}

const statementsOf = ({ place, published, schema }: Load<BucketPlace>, dataset: LakeDataset): ReadonlyArray<string> => {
  const blocks: Array<string> = []
  const selects: Array<string> = []
  for (const format of ["jsonl", "parquet"] as const) {
    const groups = published.groupsOf(dataset).filter(({ kind }) => (kind === "parquet") === (format === "parquet"))
    const runs = byRun(groups.flatMap(({ parts }) => parts))
    if (runs.size === 0) continue
    const table = `${dataset}_${format}`
    const root = `s3://${place.bucket}/${place.prefix}`
    const partitions = [...runs.keys()].map((runId) => {
      const folder = partFolder({ dataset, pipeline: published.pipeline, runId })
      const values = `\`pipeline\` = ${backslashed(published.pipeline)}, \`run\` = ${backslashed(runId)}`
      return `PARTITION (${values})\n  LOCATION ${backslashed(`${root}${folder}`)}`
    })
    blocks.push(
      tableOf(schema, table, dataset, format, `${root}${datasetRoot(dataset)}`),
      ...packed(partitions, most).map(
        (pack) => `ALTER TABLE ${ticked(schema, table)} ADD IF NOT EXISTS\n${pack.join("\n")};`
      )
    )
    const shown = [...runs].flatMap(([runId, parts]) => conditionsOf(published.pipeline, runId, parts))
    selects.push(...packed(shown, most).map((pack) => selectOf(schema, table, dataset, format, pack)))
  }
  const view = (name: string, query: string) => `CREATE OR REPLACE VIEW ${named(schema, name)} AS\n${query};`
  if (selects.length === 0) return [view(dataset, nothing(dataset))]
  if (selects.length === 1) return [...blocks, view(dataset, selects[0]!)]
  const pieces = selects.map((_, at) => `${dataset}_piece_${at + 1}`)
  const union = pieces.map((piece) => `SELECT * FROM ${named(schema, piece)}`).join("\nUNION ALL\n")
  return [...blocks, ...selects.map((query, at) => view(pieces[at]!, query)), view(dataset, union)]
}

const byRun = (parts: ReadonlyArray<PublishedPart>): ReadonlyMap<string, ReadonlyArray<PublishedPart>> => {
  const runs = new Map<string, Array<PublishedPart>>()
  for (const part of parts) {
    const held = runs.get(part.runId)
    if (held === undefined) runs.set(part.runId, [part])
    else held.push(part)
  }
  return runs
}

const tableOf = (schema: string, table: string, dataset: LakeDataset, format: Format, location: string): string => {
  const columns = columnsOf[dataset].map(({ name, type }) => {
    const hive = format === "jsonl" && type === "instant" ? "string" : hiveTypes[type]
    return `${ticked(name)} ${hive}`
  })
  const reader = format === "parquet" ? "STORED AS PARQUET" : "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
  return `CREATE EXTERNAL TABLE IF NOT EXISTS ${ticked(schema, table)} ${listed(columns)}
PARTITIONED BY (\`pipeline\` string, \`run\` string)
${reader}
LOCATION ${backslashed(location)};`
}

/** Part names are unique in a run, and in no need of any escape in a path, whatever the prefix is. */
const conditionsOf = (pipeline: string, runId: string, parts: ReadonlyArray<PublishedPart>): ReadonlyArray<string> => {
  const names = parts.map(({ key }) => doubled(key.slice(key.lastIndexOf("/") + 1)))
  return packed(names, { items: namesAtOnce, bytes: most.bytes }).map(
    (pack) =>
      `"pipeline" = ${doubled(pipeline)} AND "run" = ${doubled(runId)} AND regexp_extract("$path", '[^/]+$') IN (${pack.join(", ")})`
  )
}

const selectOf = (
  schema: string,
  table: string,
  dataset: LakeDataset,
  format: Format,
  conditions: ReadonlyArray<string>
): string => {
  const columns = columnsOf[dataset].map(({ name, type }) => {
    if (type !== "instant") return named(name)
    const value = format === "jsonl" ? `from_iso8601_timestamp(${named(name)})` : named(name)
    return `CAST(${value} AS timestamp) AS ${named(name)}`
  })
  return `SELECT ${[...columns, named("pipeline"), named("run")].join(", ")}
FROM ${named(schema, table)}
WHERE ${conditions.map((condition) => `(${condition})`).join("\n   OR ")}`
}

/** A dataset of which there is no part has its columns and no row. */
const nothing = (dataset: LakeDataset): string => {
  const partitions: ReadonlyArray<Pick<Column, "name" | "type">> = [
    { name: "pipeline", type: "text" },
    { name: "run", type: "text" }
  ]
  const columns = [...columnsOf[dataset], ...partitions]
  return `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${trinoTypes[type]}) AS ${named(name)}`).join(", ")} WHERE false`
}
