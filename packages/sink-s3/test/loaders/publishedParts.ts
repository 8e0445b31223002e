import type { LakeDataset } from "../../src/Columns.ts"
import { partKey } from "../../src/Layout.ts"
import type { Load } from "../../src/loaders/Load.ts"
import type { BucketPlace } from "../../src/loaders/Place.ts"
import { type PartKind, type Published, partKinds } from "../../src/loaders/Published.ts"

/** Runs with so many parts of each dataset, written so. */
export interface PublishedRun {
  readonly runId: string
  readonly kind: PartKind
  readonly parts: { readonly [D in LakeDataset]?: number }
}

/** What `readPublished` answers where these runs stand. */
export const published = (runs: ReadonlyArray<PublishedRun>, pipeline = "quotes"): Published => ({
  pipeline,
  groupsOf: (dataset) =>
    partKinds.flatMap((kind) => {
      const parts = runs
        .filter((run) => run.kind === kind)
        .flatMap(({ parts, runId }) =>
          Array.from({ length: parts[dataset] ?? 0 }, (_, at) => ({
            key: partKey({ dataset, pipeline, runId, epoch: 1, seq: at + 1 }, kind),
            runId,
            bytes: 100 + at
          }))
        )
      return parts.length === 0 ? [] : [{ kind, parts }]
    })
})

/** A bucket of Amazon, unless something else is said. */
export const lake = (given: Partial<BucketPlace> = {}): BucketPlace => ({
  kind: "bucket",
  bucket: "lake",
  prefix: "crawls/",
  region: undefined,
  endpoint: undefined,
  isPathStyle: false,
  provider: "amazon",
  ...given
})

/** Two runs, of which one has links in two parts. */
export const links = (kind: PartKind, given: Partial<Load<BucketPlace>> = {}): Load<BucketPlace> => ({
  place: lake(),
  published: published([
    { runId: "r1", kind, parts: { links: 2 } },
    { runId: "r2", kind, parts: { links: 1 } }
  ]),
  datasets: ["links"],
  schema: "quotes",
  ...given
})
