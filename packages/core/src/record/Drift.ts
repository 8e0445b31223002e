import { Schema } from "effect"
import { type JsonObject, type PageRecord, weigh } from "./PageRecord.ts"

/**
 * What becomes of members of results that the contract does not know: `keep` loads them with their page, `ignore` drops
 * them, `fail` ends the run before anything of that kind is written.
 */
export const DriftPolicy = Schema.Literals(["keep", "ignore", "fail"]).annotate({
  identifier: "Drift",
  description: "What becomes of members of the API's results that are not known here; keep when absent."
})
export type DriftPolicy = typeof DriftPolicy.Type

/** The drift name of results that do not say which page they are, or how it ended. */
export const uncountable = "results (uncountable)"

/** A server makes names up: so many are told, and so much of each. */
const mostNames = 100
const longestName = 100

/** The names of members the contract does not know, and of those whose values could not be read, as they are met. */
export class DriftNames {
  readonly #names: Set<string>
  #fresh: Array<string> = []

  /** `known` were met by earlier attempts. */
  constructor(known: Iterable<string> = []) {
    this.#names = new Set(known)
  }

  /** Takes note of the members of a record. */
  meet(record: Pick<PageRecord, "extra" | "unread" | "refusal">): void {
    if (record.refusal?.uncountable === true) this.#add(uncountable)
    for (const name of driftOf(record)) if (this.#names.size < mostNames) this.#add(name)
  }

  #add(name: string): void {
    if (this.#names.has(name)) return
    this.#names.add(name)
    this.#fresh.push(name)
  }

  /** Those that were met since this was last asked. */
  takeNew(): ReadonlyArray<string> {
    const fresh = this.#fresh
    this.#fresh = []
    return fresh
  }

  /** All of them, in order. */
  get all(): ReadonlyArray<string> {
    return [...this.#names].sort()
  }
}

/** What a result departs from the contract in: names of members, those of `data` and `metadata` as `data.name`. They fit any text. */
export const driftOf = ({ extra, unread = [] }: Pick<PageRecord, "extra" | "unread">): ReadonlyArray<string> =>
  namesIn(extra ?? {}).map((name) => (isUnread(unread, name) ? `${name} (unreadable)` : name))

/** A record without what the contract does not know of it. Values that could not be read stay: nothing else tells of them. */
export const withoutUnknown = (record: PageRecord): PageRecord => {
  const { extra, unread = [] } = record
  if (extra === null) return record
  const kept = Object.entries(extra).flatMap(([name, value]): ReadonlyArray<readonly [string, Schema.Json]> => {
    if (unread.includes(name)) return [[name, value]]
    const inner = isObject(value)
      ? Object.entries(value).filter(([member]) => isUnread(unread, `${name}.${member}`))
      : []
    return inner.length === 0 ? [] : [[name, Object.fromEntries(inner)]]
  })
  const without = { ...record, extra: kept.length === 0 ? null : Object.fromEntries(kept) }
  return { ...without, bytes: weigh(without) }
}

const isUnread = (unread: ReadonlyArray<string>, name: string): boolean =>
  unread.some((path) => path === name || path.startsWith(`${name}.`))

const isObject = (value: Schema.Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const namesIn = (extra: JsonObject): ReadonlyArray<string> =>
  Object.entries(extra)
    .flatMap(([name, value]) =>
      (name === "data" || name === "metadata") && isObject(value)
        ? Object.keys(value).map((inner) => plain(`${name}.${inner}`))
        : [plain(name)]
    )
    .slice(0, mostNames)

const plain = (name: string): string =>
  name
    .slice(0, longestName)
    .toWellFormed()
    .replace(/\p{Cc}/gu, "\uFFFD")
