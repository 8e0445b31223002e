import { BatchResult, CrawlData, CrawlResult, ExtractData, ItemMetadata, JobStatus } from "@sluice/contract"
import { Result, Schema } from "effect"
import { boundedJson, isNestedWithin } from "../record/boundedJson.ts"
import type { JsonObject, Refusal } from "../record/PageRecord.ts"
import { quickGuard } from "../record/quickGuard.ts"
import { whereOf } from "../record/whereOf.ts"

/** What an item of a job's results says of itself, whatever else is wrong with it. */
export interface Recognised {
  readonly url: string | undefined
  readonly inputIndex: number | undefined
  readonly status: JobStatus
}

const isStatus = Schema.is(JobStatus)

/** Reads of an item which page it is and how far it has come; undefined where it does not say how far. */
export const recognise = (raw: unknown): Recognised | undefined => {
  if (!isObject(raw) || !isStatus(raw.status)) return undefined
  const { input_index: at, status, url } = raw
  return {
    status,
    url: typeof url === "string" ? url : undefined,
    inputIndex: typeof at === "number" && Number.isSafeInteger(at) && at >= 0 ? at : undefined
  }
}

/** An item that fits the contract, and what the contract does not know of it (the item may hold that too); or why it does not fit. */
export type ReadItem<I> = { readonly item: I; readonly extra: JsonObject | null } | { readonly refusal: Refusal }

/** How deep what we do not know may be nested: stores and JSON writers give up somewhere, in ways of their own. */
const deepest = 64

const itemReader = <I>(schema: Schema.Codec<I, unknown>, known: Known) => {
  const fits = quickGuard(schema)
  const decode = Schema.decodeUnknownResult(schema)
  return (raw: unknown): ReadItem<I> => {
    const decoded = fits(raw) ? Result.succeed(raw) : decode(raw)
    if (Result.isFailure(decoded))
      return { refusal: refuse(raw, `it does not fit the contract: ${whereOf(decoded.failure)}`) }
    const extra = isObject(raw) ? extraOf(raw, known) : null
    return extra === null || isNestedWithin(extra, deepest)
      ? { item: decoded.success, extra }
      : { refusal: refuse(raw, `members the contract does not know are nested more than ${deepest} deep`) }
  }
}

const refuse = (raw: unknown, detail: string): Refusal => ({
  reason: "contract",
  detail,
  raw: boundedJson(raw, deepest)
})

/** The members the contract knows, of an item and of the objects in it. */
interface Known {
  readonly members: ReadonlySet<string>
  readonly inside: Readonly<Record<string, ReadonlySet<string>>>
}

const knownMembers = (
  fields: Schema.Struct.Fields,
  inside: { readonly data: Schema.Struct.Fields; readonly metadata: Schema.Struct.Fields }
): Known => ({
  members: new Set(Object.keys(fields)),
  inside: { data: new Set(Object.keys(inside.data)), metadata: new Set(Object.keys(inside.metadata)) }
})

/** What came of JSON is JSON. `fromEntries` takes `__proto__` for a name like any other. */
const extraOf = (raw: Members, { inside, members }: Known): JsonObject | null => {
  const found = unknownIn(raw, members)
  for (const name in inside) {
    const inner = raw[name]
    const unknown = isObject(inner) ? unknownIn(inner, inside[name]!) : []
    if (unknown.length > 0) found.push([name, Object.fromEntries(unknown)])
  }
  return found.length === 0 ? null : (Object.fromEntries(found) as JsonObject)
}

const unknownIn = (object: Members, known: ReadonlySet<string>): Array<[string, unknown]> => {
  const found: Array<[string, unknown]> = []
  for (const name in object) if (!known.has(name)) found.push([name, object[name]])
  return found
}

type Members = { readonly [member: string]: unknown }

const isObject = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Reads an item of a crawl. */
export const readCrawlItem = itemReader(
  CrawlResult,
  knownMembers(CrawlResult.fields, { data: CrawlData.fields, metadata: ItemMetadata.fields })
)

/** Reads an item of a batch. */
export const readBatchItem = itemReader(
  BatchResult,
  knownMembers(BatchResult.fields, { data: ExtractData.fields, metadata: ItemMetadata.fields })
)
