import { Effect } from "effect"
import { type ColumnType, columnsOf, type LakeDataset } from "../Columns.ts"
import type { BucketLoader, Load } from "./Load.ts"
import { LoaderRefused } from "./LoaderRefused.ts"
import type { BucketPlace } from "./Place.ts"
import { backslashed, comment, listed, packed, script, ticked } from "./sqlText.ts"

const types: { readonly [T in ColumnType]: string } = {
  text: "STRING",
  int: "INT64",
  long: "INT64",
  key: "INT64",
  instant: "TIMESTAMP",
  json: "JSON"
}

/** A statement may be a megabyte long, a job may read 10,000 files. */
const most = { items: 5000, bytes: 500_000 }

/** Loads that overwrite each table with what is published, from Google's storage, or from Amazon's by a connection of Omni. */
export const bigquery: BucketLoader = (load) => {
  const detail = obstacle(load)
  if (detail !== undefined) return Effect.fail(new LoaderRefused({ detail }))
  const { datasets, place, schema } = load
  return Effect.succeed(
    script([
      comment(
        place.provider === "google"
          ? `The dataset ${schema} has to be there, where the bucket is.`
          : `The dataset ${schema} has to be there, near the bucket. Fill in the connection that may read the bucket.`
      ),
      ...datasets.flatMap((dataset) => loadsOf(load, dataset))
    ])
  )
}

const obstacle = ({ datasets, place, published }: Load<BucketPlace>): string | undefined => {
  if (place.provider === "other") {
    return "BigQuery reads Google Cloud Storage, and Amazon S3 by a connection, and the endpoint of this sink is neither"
  }
  if (place.prefix.includes("*")) {
    return "the prefix of the sink holds a *, which BigQuery takes for a pattern: give the sink another prefix"
  }
  for (const dataset of datasets) {
    const kinds = published.groupsOf(dataset).map(({ kind }) => kind)
    if (kinds.includes("jsonl.zst")) {
      return `BigQuery reads JSON Lines that are compressed by gzip or not at all, and runs of pipeline "${published.pipeline}" have parts by zstd: write it with compression gzip or none`
    }
    const hasJson = columnsOf[dataset].some(({ type }) => type === "json")
    if (hasJson && kinds.includes("parquet") && kinds.length > 1) {
      return `BigQuery cannot load column extra of ${dataset} from Parquet and JSON Lines alike, and pipeline "${published.pipeline}" has published both: write one of them to a place of its own`
    }
  }
  return undefined
}

const loadsOf = ({ place, published, schema }: Load<BucketPlace>, dataset: LakeDataset): ReadonlyArray<string> => {
  const groups = published.groupsOf(dataset)
  // Parquet has JSON as text.
  const asText = groups.some(({ kind }) => kind === "parquet")
  const columns = listed(
    columnsOf[dataset].map(
      ({ isRequired, name, type }) =>
        `${ticked(name)} ${types[type === "json" && asText ? "text" : type]}${isRequired ? " NOT NULL" : ""}`
    )
  )
  const table = ticked(schema, dataset)
  if (groups.length === 0) return [`CREATE OR REPLACE TABLE ${table} ${columns};`]
  const root = `${place.provider === "google" ? "gs" : "s3"}://${place.bucket}/${place.prefix}`
  const connection = place.provider === "google" ? "" : `\nWITH CONNECTION ${ticked(connectionIn(place.region))}`
  const loads = groups.flatMap(({ kind, parts }) =>
    packed(
      parts.map(({ key }) => backslashed(`${root}${key}`)),
      most
    ).map((uris) => ({ format: kind === "parquet" ? "PARQUET" : "NEWLINE_DELIMITED_JSON", uris }))
  )
  return loads.map(
    ({ format, uris }, at) => `LOAD DATA ${at === 0 ? "OVERWRITE" : "INTO"} ${table} ${columns}
FROM FILES (
  format = '${format}',
  uris = [\n    ${uris.join(",\n    ")}\n  ]
)${connection};`
  )
}

/** Connections are named by a region, which Google puts a word before. */
const connectionIn = (region: string | undefined): string =>
  `aws-${region !== undefined && /^[a-z0-9-]+$/.test(region) ? region : "<region>"}.<connection>`
