import { Effect } from "effect"
import { type ColumnType, columnsOf, type LakeDataset } from "../Columns.ts"
import { redshiftFolder } from "../Layout.ts"
import type { BucketLoader, Load } from "./Load.ts"
import { LoaderRefused } from "./LoaderRefused.ts"
import type { BucketPlace } from "./Place.ts"
import type { PartGroup, PartKind } from "./Published.ts"
import { manifestName } from "./redshiftManifest.ts"
import { comment, doublyEscaped, listed, named, script } from "./sqlText.ts"

const types: { readonly [T in ColumnType]: string } = {
  text: "VARCHAR(65535)",
  int: "INTEGER",
  long: "BIGINT",
  key: "BIGINT",
  instant: "TIMESTAMP",
  json: "SUPER"
}

const compressions: { readonly [K in PartKind]: string } = {
  jsonl: "",
  "jsonl.gz": " GZIP",
  "jsonl.zst": " ZSTD",
  parquet: ""
}

/** Tables that hold what is published once it has been run: in one transaction they are emptied and filled by manifest. */
export const redshift: BucketLoader = (load) => {
  const { datasets, place, published, schema } = load
  if (place.provider !== "amazon") return Effect.fail(new LoaderRefused({ detail: notAmazon }))
  const copies = datasets.flatMap((dataset) => [
    `DELETE FROM ${named(schema, dataset)};`,
    ...published.groupsOf(dataset).map((group) => copyOf(load, dataset, group))
  ])
  return Effect.succeed(
    script([
      comment(
        "Put the manifests where COPY looks for them first: sluice ddl redshift --manifest NAME prints each.",
        "Then fill in the role that may read the bucket."
      ),
      `CREATE SCHEMA IF NOT EXISTS ${named(schema)};`,
      ...datasets.map((dataset) => tableOf(load, dataset)),
      "BEGIN;",
      ...copies,
      "COMMIT;"
    ])
  )
}

/** What is told of a store that Redshift does not read. */
export const notAmazon = "Redshift reads buckets of Amazon S3 alone, and the endpoint of this sink is another store"

const tableOf = ({ published, schema }: Load<BucketPlace>, dataset: LakeDataset): string => {
  // From Parquet a SUPER is made of structures, not of text that is JSON.
  const asText = published.groupsOf(dataset).some(({ kind }) => kind === "parquet")
  const columns = columnsOf[dataset].map(
    ({ isRequired, name, type }) =>
      `${named(name)} ${types[type === "json" && asText ? "text" : type]}${isRequired ? " NOT NULL" : ""}`
  )
  return `CREATE TABLE IF NOT EXISTS ${named(schema, dataset)} ${listed(columns)};`
}

const copyOf = ({ place, published, schema }: Load<BucketPlace>, dataset: LakeDataset, { kind }: PartGroup): string => {
  const folder = `s3://${place.bucket}/${place.prefix}${redshiftFolder(published.pipeline)}`
  const head = `COPY ${named(schema, dataset)}
FROM ${doublyEscaped(`${folder}${manifestName(dataset, kind)}.manifest`)}
IAM_ROLE '<role_arn>'`
  if (kind === "parquet") return `${head}\nMANIFEST FORMAT AS PARQUET;`
  // Of columnar files only those of the cluster's region can be read.
  const region = place.region === undefined ? "" : `REGION ${doublyEscaped(place.region)}\n`
  return `${head}\n${region}MANIFEST FORMAT AS JSON 'auto'${compressions[kind]} TIMEFORMAT 'auto';`
}
