import type { JobKind } from "../../record/JobSnapshot.ts"
import type { Source } from "../../source/Source.ts"
import type { OpenCost } from "./openCost.ts"
import type { PlannedCall } from "./Plan.ts"

/** The requests that a run makes for what it has not asked for yet, and for jobs it has to read. */
export const plannedCalls = (
  source: Source,
  { further, unasked }: Pick<OpenCost, "further" | "unasked">,
  reads: { readonly hasJobs: boolean; readonly asksLists: ReadonlyArray<JobKind> }
): ReadonlyArray<PlannedCall> => {
  const posts = new Map<JobKind, number | null>()
  // A map is asked again by each attempt: it costs nothing, and no job keeps what it has answered.
  if (source.map !== undefined) posts.set("map", 1)
  for (const { kind } of unasked.filter(({ kind }) => kind !== "map")) posts.set(kind, (posts.get(kind) ?? 0) + 1)
  if (further !== undefined) posts.set(further, null)
  const isSync = (source.extract ?? intoExtract(source))?.mode === "sync"
  const kind = kindOf(source)
  const read = kind !== "map" && !(kind === "extract" && isSync) && (reads.hasJobs || posts.size > 0)
  return [
    ...reads.asksLists.map((of): PlannedCall => ({ method: "GET", path: `/v1/${of}/jobs`, times: null })),
    ...[...posts].map(([of, times]): PlannedCall => ({ method: "POST", path: `/v1/${of}`, times })),
    ...(read ? [{ method: "GET", path: `/v1/${kind}/{job_id}`, times: null } as const] : [])
  ]
}

const intoExtract = ({ map }: Source) =>
  map?.into !== undefined && "extract" in map.into ? map.into.extract : undefined

/** The kind of the jobs whose pages are the result. */
const kindOf = (source: Source): JobKind => {
  if (source.crawl !== undefined) return "crawl"
  if (source.batch !== undefined) return "batch"
  if (source.extract !== undefined) return "extract"
  if (source.map?.into === undefined) return "map"
  return "extract" in source.map.into ? "extract" : "batch"
}
