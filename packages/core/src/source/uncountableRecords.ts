import { type Effect, Stream } from "effect"
import { boundedJson } from "../record/boundedJson.ts"
import { hash64 } from "../record/hash64.ts"
import type { KeySet } from "../record/KeySet.ts"
import { looseInteger } from "../record/looseValues.ts"
import { type PageRecord, pageKey } from "../record/PageRecord.ts"
import { deepest } from "../record/storableJson.ts"
import { recognise } from "./JobItem.ts"
import { refusedRecord } from "./recordOfItem.ts"

/** A job that has ended, some of whose results cannot be counted. */
export interface UncountableJob<E> {
  readonly jobId: string
  /** The slices to look at, from 1: all that are known to hold results. */
  readonly slices: number
  readonly results: (page: number) => Effect.Effect<ReadonlyArray<unknown>, E>
  /** Keys of what was delivered; those of these records are added. */
  readonly seen: KeySet
  /** How many results with the same content may be different pages: at most the number of missing pages. */
  readonly mostAlike: number
  /** Called for each such result, also for one whose record was delivered by an earlier attempt. */
  readonly onFound: () => void
}

/**
 * The results of a job that do not say which page they are, or how it ended, as records to be quarantined. They are read once
 * more when all else of the job has been: until then a result may still come to say so. Each has a key of its own, by what it
 * says of itself or by its content, so that a resumed run does not deliver it again.
 */
export const uncountableRecords = <E>(job: UncountableJob<E>): Stream.Stream<PageRecord, E> =>
  Stream.suspend(() => {
    const alike = new Map<bigint, number>()
    return Stream.range(1, Math.max(1, job.slices)).pipe(
      Stream.mapEffect(job.results),
      Stream.map((results) => results.flatMap((raw) => recordOf(job, raw, alike) ?? [])),
      Stream.flattenIterable
    )
  })

const recordOf = <E>(
  { jobId, mostAlike, onFound, seen }: UncountableJob<E>,
  raw: unknown,
  alike: Map<bigint, number>
): PageRecord | undefined => {
  const { place, url } = identityOf(raw)
  // The same page, of which another result says how it ended.
  if (url !== undefined && seen.has(pageKey(url))) return undefined
  const content = uncountableKey(raw)
  const occurrence = alike.get(content) ?? 0
  if (occurrence >= Math.max(1, mostAlike)) return undefined
  alike.set(content, occurrence + 1)
  const key = occurrence === 0 ? content : hash64(`uncountable\n${content}\n${occurrence}`)
  onFound()
  if (!seen.add(key)) return undefined
  const missing = recognise(raw) === undefined ? "how it ended" : "which page it is"
  return refusedRecord(
    { jobId, key, url: url ?? "", inputIndex: place ?? null, status: "failed" },
    { reason: "contract", detail: `it does not say ${missing}`, raw: boundedJson(raw, deepest), uncountable: true }
  )
}

/** What such a result is known by: its place or URL where it has one, else its content. */
export const uncountableKey = (raw: unknown): bigint => {
  const { place, url } = identityOf(raw)
  return hash64(`uncountable\n${place ?? url ?? boundedJson(raw, deepest)}`)
}

const identityOf = (raw: unknown): { readonly url?: string; readonly place?: number } => {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return {}
  const { input_index: at, url } = raw as { readonly [member: string]: unknown }
  const place = looseInteger(at, false)
  return {
    ...(typeof url === "string" && url.trim() !== "" ? { url } : {}),
    ...(typeof place === "number" && place >= 0 ? { place } : {})
  }
}
