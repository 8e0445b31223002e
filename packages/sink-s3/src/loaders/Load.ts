import type { Effect } from "effect"
import type { LakeDataset } from "../Columns.ts"
import type { LoaderRefused } from "./LoaderRefused.ts"
import type { BucketPlace, Place } from "./Place.ts"
import type { Published } from "./Published.ts"

/** What the text for an engine is made of. */
export interface Load<P extends Place = Place> {
  readonly place: P
  readonly published: Published
  readonly datasets: ReadonlyArray<LakeDataset>
  /** What the tables are put in: a schema, a database, a dataset. Letters, digits and _. */
  readonly schema: string
}

/** Writes the statements for an engine that reads buckets. */
export type BucketLoader = (load: Load<BucketPlace>) => Effect.Effect<string, LoaderRefused>
