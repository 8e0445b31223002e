import { Effect } from "effect"
import { type LakeDataset, lakeDatasets } from "../Columns.ts"
import type { ObjectStore } from "../ObjectStore.ts"
import type { StoreError } from "../StoreError.ts"
import { athena } from "./athena.ts"
import { bigquery } from "./bigquery.ts"
import { duckdb } from "./duckdb.ts"
import type { BucketLoader } from "./Load.ts"
import { LoaderRefused } from "./LoaderRefused.ts"
import type { BucketPlace, Place } from "./Place.ts"
import { readPublished } from "./Published.ts"
import { notAmazon, redshift } from "./redshift.ts"
import { redshiftManifest } from "./redshiftManifest.ts"
import { snowflake } from "./snowflake.ts"

/** The engines that statements can be had for. */
export const loaderEngines = ["athena", "bigquery", "duckdb", "redshift", "snowflake"] as const
export type LoaderEngine = (typeof loaderEngines)[number]

/** What statements are to be about. */
export interface LoaderOptions {
  readonly engine: LoaderEngine
  readonly pipeline: string
  /** All of them where nothing is said. */
  readonly datasets?: ReadonlyArray<LakeDataset>
  /** What the tables are put in: letters, digits and _. Absent: the name of the pipeline in lower case, _ for -. */
  readonly schema?: string
}

const bucketLoaders: { readonly [E in Exclude<LoaderEngine, "duckdb">]: BucketLoader } = {
  athena,
  bigquery,
  redshift,
  snowflake
}

/** The statements by which an engine reads or loads just what readers of a pipeline may see now. */
export const loadStatements = Effect.fn("loadStatements")(function* (
  store: ObjectStore,
  place: Place,
  options: LoaderOptions
): Effect.fn.Return<string, StoreError | LoaderRefused> {
  const { datasets = lakeDatasets, engine, pipeline, schema = pipeline.toLowerCase().replaceAll("-", "_") } = options
  if (!/^[A-Za-z0-9_]{1,128}$/.test(schema)) {
    return yield* new LoaderRefused({ detail: "a schema is named by letters, digits and _, at most 128 characters" })
  }
  if (engine === "duckdb") return duckdb({ place, published: yield* readPublished(store, pipeline), datasets, schema })
  if (place.kind === "directory") {
    return yield* new LoaderRefused({ detail: `${engine} reads no local directory: use duckdb, or a sink to a bucket` })
  }
  return yield* bucketLoaders[engine]({ place, published: yield* readPublished(store, pipeline), datasets, schema })
})

/** The manifest of a COPY of Redshift: see `redshiftManifest`. */
export const manifestOf = Effect.fn("redshiftManifest")(function* (
  store: ObjectStore,
  place: BucketPlace,
  options: { readonly pipeline: string; readonly name: string }
): Effect.fn.Return<string, StoreError | LoaderRefused> {
  if (place.provider !== "amazon") return yield* new LoaderRefused({ detail: notAmazon })
  return yield* redshiftManifest(place, yield* readPublished(store, options.pipeline), options.name)
})
