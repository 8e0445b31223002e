import { type Column, type ColumnType, columnsOf, type LakeDataset } from "../Columns.ts"
import type { Load } from "./Load.ts"
import type { BucketPlace, Place } from "./Place.ts"
import type { PartGroup, PartKind } from "./Published.ts"
import { comment, doubled, listed, named, script } from "./sqlText.ts"

const types: { readonly [T in ColumnType]: string } = {
  text: "VARCHAR",
  int: "INTEGER",
  long: "BIGINT",
  key: "BIGINT",
  instant: "TIMESTAMPTZ",
  json: "JSON"
}

const compressions: { readonly [K in Exclude<PartKind, "parquet">]: string } = {
  jsonl: "uncompressed",
  "jsonl.gz": "gzip",
  "jsonl.zst": "zstd"
}

/** A view a dataset, over just the published parts, with a column `run` that says whose a row is. */
export const duckdb = ({ datasets, place, published, schema }: Load): string =>
  script([
    comment("A database file must not have the schema's name: DuckDB could not distinguish them."),
    ...(place.kind === "bucket" ? [access(place, schema)] : []),
    `CREATE SCHEMA IF NOT EXISTS ${named(schema)};`,
    ...datasets.map((dataset) => {
      const groups = published.groupsOf(dataset)
      const rows = groups.length === 0 ? [nothing(dataset)] : groups.map((group) => rowsOf(place, dataset, group))
      return `CREATE OR REPLACE VIEW ${named(schema, dataset)} AS\n${rows.join("\nUNION ALL\n")};`
    })
  ])

/** How the bucket is reached. Who reaches it is found as the AWS SDK finds it. */
const access = (place: BucketPlace, schema: string): string => {
  const { bucket, endpoint, isPathStyle, prefix, region } = place
  const settings = [
    "TYPE s3",
    "PROVIDER credential_chain",
    `SCOPE ${doubled(`s3://${bucket}/${prefix}`)}`,
    ...(region === undefined ? [] : [`REGION ${doubled(region)}`]),
    ...(endpoint === undefined ? [] : [`ENDPOINT ${doubled(endpoint.host)}`, `USE_SSL ${endpoint.isSecure}`]),
    ...(isPathStyle ? ["URL_STYLE 'path'"] : [])
  ]
  return script([
    comment("Credentials are found as the AWS SDK finds them: AWS_* variables, a profile, the machine's role."),
    "INSTALL httpfs;\nLOAD httpfs;\nINSTALL aws;\nLOAD aws;",
    `CREATE OR REPLACE SECRET ${named(`sluice_${schema}`)} ${listed(settings)};`,
    // Otherwise these would be patterns, and a ? would begin parameters.
    ...(/[*?[\\]/.test(prefix) ? ["SET s3_url_compatibility_mode = true;"] : [])
  ])
}

const rowsOf = (place: Place, dataset: LakeDataset, { kind, parts }: PartGroup): string => {
  const root = place.kind === "directory" ? place.root : `s3://${place.bucket}/${place.prefix}`
  const files = `[\n  ${parts.map(({ key }) => doubled(`${root}${key}`)).join(",\n  ")}\n]`
  const columns = columnsOf[dataset]
  const run = `regexp_extract("filename", '/run=([^/]+)/[^/]+$', 1) AS "run"`
  // Folders above the lake may look like partitions too, and would hide columns of their names.
  const common = ["hive_partitioning = false", "filename = true"]
  if (kind === "parquet") {
    const selected = columns.map(({ name, type }) =>
      type === "json" ? `CAST(${named(name)} AS JSON) AS ${named(name)}` : named(name)
    )
    return `SELECT ${[...selected, run].join(", ")}\nFROM read_parquet(${[files, ...common].join(", ")})`
  }
  const options = [
    files,
    "format = 'newline_delimited'",
    // By itself DuckDB takes it from the name, and not from one with a ? in it.
    `compression = ${doubled(compressions[kind])}`,
    `columns = {${columns.map(({ name, type }) => `${doubled(name)}: ${doubled(types[type])}`).join(", ")}}`,
    ...common
  ]
  return `SELECT ${[...columns.map(({ name }) => named(name)), run].join(", ")}\nFROM read_json(${options.join(", ")})`
}

/** A dataset of which there is no part has its columns and no row. */
const nothing = (dataset: LakeDataset): string => {
  const empty = ({ name, type }: Pick<Column, "name" | "type">) => `CAST(NULL AS ${types[type]}) AS ${named(name)}`
  return `SELECT ${[...columnsOf[dataset], { name: "run", type: "text" as const }].map(empty).join(", ")} WHERE false`
}
