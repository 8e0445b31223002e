import { BatchResult, CrawlData, CrawlResult, ExtractData, ItemMetadata, JobStatus } from "@sluice/contract"
import { Schema } from "effect"
import { fastTypeGuard } from "../record/fastTypeGuard.ts"
import { type Lenient, lenientReader } from "../record/lenientReader.ts"
import { looseInteger, looseWord, unreadable } from "../record/looseValues.ts"
import type { JsonObject } from "../record/PageRecord.ts"
import { isInt4 } from "../record/recordValidation.ts"
import { storableJson } from "../record/storableJson.ts"
import { UnreadValues } from "../record/UnreadValues.ts"

/** What an item of a job's results says of itself, whatever else is wrong with it. */
export interface Recognised {
  readonly url: string | undefined
  readonly inputIndex: number | undefined
  readonly status: JobStatus
}

const isStatus = Schema.is(JobStatus)

/** The contract's words, and the other spelling of one. Any other word says nothing that can be counted. */
const spellings = new Map([["canceled", "cancelled" as const]])

/** Reads of an item which page it is and how far it has come; undefined where it does not say how far. */
export const recognise = (raw: unknown): Recognised | undefined => {
  if (!isObject(raw)) return undefined
  const status = isStatus(raw.status) ? raw.status : looseWord(raw.status, JobStatus.literals, spellings)
  if (status === null || status === unreadable) return undefined
  const { input_index: at, url } = raw
  const inputIndex = looseInteger(at, false)
  return {
    status,
    url: typeof url === "string" && url.trim() !== "" ? url : undefined,
    inputIndex: typeof inputIndex === "number" && inputIndex >= 0 ? inputIndex : undefined
  }
}

/**
 * An item as it could be read (null where it is no object), and what else it holds: members the contract does not know, and values that could not be read, under
 * their own names. `unread` names those values, where there are any.
 */
export interface ReadItem<I> {
  readonly item: I | Lenient<I> | null
  readonly extra: JsonObject | null
  readonly unread?: ReadonlyArray<string>
}

interface Numbers {
  readonly depth?: number | null
  readonly input_index?: number | null
  readonly metadata?: { readonly [M in keyof ItemMetadata]?: number | null } | null
}

/** The contract's integers are larger than those columns take. */
const isStorable = ({ depth = null, input_index = null, metadata }: Numbers): boolean =>
  isInt4(depth) &&
  isInt4(input_index) &&
  (metadata === undefined ||
    metadata === null ||
    (isInt4(metadata.http_status ?? null) &&
      isInt4(metadata.duration_ms ?? null) &&
      isInt4(metadata.retry_count ?? null) &&
      isInt4(metadata.tokens_charged ?? null)))

const itemReader = <I extends Numbers>(schema: Schema.Codec<I, unknown>, known: Known) => {
  const fits = fastTypeGuard(schema)
  const read = lenientReader(schema)
  return (raw: unknown): ReadItem<I> => {
    const unknown = isObject(raw) ? extraOf(raw, known) : null
    // What fits is taken as it came: absent members are as good as null.
    if (fits(raw) && isStorable(raw)) return { item: raw, extra: unknown }
    const unread = new UnreadValues()
    return { item: read(raw, unread.note), ...unread.addTo(unknown) }
  }
}

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
  return found.length === 0 ? null : (storableJson(Object.fromEntries(found)) as JsonObject)
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
