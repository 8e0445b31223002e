import { Effect } from "effect"
import { type LakeDataset, lakeDatasets } from "../Columns.ts"
import { LoaderRefused } from "./LoaderRefused.ts"
import type { BucketPlace } from "./Place.ts"
import type { PartKind, Published } from "./Published.ts"

/** What a manifest of COPY is called: a dataset, and how its parts are written. */
export const manifestName = (dataset: LakeDataset, kind: PartKind): string => `${dataset}.${kind}`

/**
 * The manifest a COPY reads: just the published parts of a dataset. Named by the dataset alone where all of them are written
 * alike, else with how they are, as `pages.jsonl.gz`.
 */
export const redshiftManifest = Effect.fnUntraced(function* (
  place: BucketPlace,
  published: Published,
  name: string
): Effect.fn.Return<string, LoaderRefused> {
  const names = lakeDatasets.flatMap((dataset) =>
    published.groupsOf(dataset).map((group) => ({ dataset, group, name: manifestName(dataset, group.kind) }))
  )
  const found = names.filter((candidate) => candidate.name === name || candidate.dataset === name)
  const [only] = found
  if (only === undefined || found.length > 1) {
    return yield* refusal(name, found.length, found.length === 0 ? names : found)
  }
  const root = `s3://${place.bucket}/${place.prefix}`
  const entries = only.group.parts.map(({ bytes, key }) => ({
    url: `${root}${key}`,
    mandatory: true,
    meta: { content_length: bytes }
  }))
  return JSON.stringify({ entries }, null, 2)
})

const refusal = (name: string, found: number, names: ReadonlyArray<{ readonly name: string }>): LoaderRefused => {
  const why =
    found > 1
      ? `parts of ${name} are written in several ways`
      : lakeDatasets.some((dataset) => dataset === name)
        ? `no part of ${name} has been published`
        : `there is no manifest ${name}`
  return new LoaderRefused({ detail: `${why}: name one of ${names.map(({ name }) => name).join(", ")}` })
}
