import { Effect } from "effect"
import { type ColumnType, columnsOf, type LakeDataset } from "../Columns.ts"
import type { BucketLoader, Load } from "./Load.ts"
import type { BucketPlace } from "./Place.ts"
import type { PartGroup, PartKind } from "./Published.ts"
import { comment, doublyEscaped, listed, named, packed, script } from "./sqlText.ts"

const types: { readonly [T in ColumnType]: string } = {
  text: "VARCHAR",
  int: "INTEGER",
  long: "BIGINT",
  key: "BIGINT",
  instant: "TIMESTAMP_TZ",
  json: "VARIANT"
}

// Where nothing else is said, text that is \N becomes null.
const formats: { readonly [K in PartKind]: string } = {
  jsonl: "TYPE = JSON COMPRESSION = NONE NULL_IF = ()",
  "jsonl.gz": "TYPE = JSON COMPRESSION = GZIP NULL_IF = ()",
  "jsonl.zst": "TYPE = JSON COMPRESSION = ZSTD NULL_IF = ()",
  parquet: "TYPE = PARQUET USE_LOGICAL_TYPE = TRUE NULL_IF = ()"
}

/** Snowflake takes so many names of files in a statement, and a megabyte of text. */
const most = { items: 1000, bytes: 500_000 }

/** Names as Snowflake writes those that nobody quotes. */
const upper = (...path: ReadonlyArray<string>): string => named(...path.map((name) => name.toUpperCase()))

/** Tables that hold what is published once it has been run: in one transaction they are emptied and filled from a stage. */
export const snowflake: BucketLoader = (load) => {
  const { datasets, published, schema } = load
  const copies = datasets.flatMap((dataset) => [
    `DELETE FROM ${upper(schema, dataset)};`,
    ...published.groupsOf(dataset).flatMap((group) => copiesOf(schema, dataset, group))
  ])
  return Effect.succeed(
    script([
      comment("Replace each <placeholder>. Stop at the first error: what follows it would commit half of a load."),
      `CREATE SCHEMA IF NOT EXISTS ${upper(schema)};`,
      ...stageOf(load),
      ...datasets.map((dataset) => tableOf(schema, dataset)),
      "BEGIN;",
      ...copies,
      "COMMIT;"
    ])
  )
}

const stageOf = ({ place, schema }: Load<BucketPlace>): ReadonlyArray<string> => {
  const { bucket, endpoint, prefix, provider } = place
  const stage = `CREATE STAGE IF NOT EXISTS ${upper(schema, "sluice")}`
  if (provider === "other") {
    return [
      `${stage}
URL = ${doublyEscaped(`s3compat://${bucket}/${prefix}`)}
ENDPOINT = ${doublyEscaped(endpoint?.host ?? "")}
CREDENTIALS = (AWS_KEY_ID = '<access_key_id>' AWS_SECRET_KEY = '<secret_access_key>');`
    ]
  }
  const url = doublyEscaped(`${provider === "google" ? "gcs" : "s3"}://${bucket}/${prefix}`)
  const integration = upper(`sluice_${schema}`)
  const access =
    provider === "google" ? "STORAGE_PROVIDER = 'GCS'" : "STORAGE_PROVIDER = 'S3'\nSTORAGE_AWS_ROLE_ARN = '<role_arn>'"
  return [
    `CREATE STORAGE INTEGRATION IF NOT EXISTS ${integration}
TYPE = EXTERNAL_STAGE
${access}
ENABLED = TRUE
STORAGE_ALLOWED_LOCATIONS = (${url});`,
    `${stage}\nURL = ${url}\nSTORAGE_INTEGRATION = ${integration};`
  ]
}

const tableOf = (schema: string, dataset: LakeDataset): string => {
  const columns = columnsOf[dataset].map(
    ({ isRequired, name, type }) => `${upper(name)} ${types[type]}${isRequired ? " NOT NULL" : ""}`
  )
  return `CREATE TABLE IF NOT EXISTS ${upper(schema, dataset)} ${listed(columns)};`
}

/** Files that were loaded once are passed over unless they are forced, and the table was emptied just now. */
const copiesOf = (schema: string, dataset: LakeDataset, { kind, parts }: PartGroup): ReadonlyArray<string> =>
  packed(
    parts.map(({ key }) => doublyEscaped(key)),
    most
  ).map(
    (files) => `COPY INTO ${upper(schema, dataset)}
FROM @${upper(schema, "sluice")}
FILES = ${listed(files)}
FILE_FORMAT = (${formats[kind]})
MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE
ON_ERROR = ABORT_STATEMENT
FORCE = TRUE;`
  )
