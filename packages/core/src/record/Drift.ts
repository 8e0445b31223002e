import { Schema } from "effect"
import type { JsonObject } from "./PageRecord.ts"

/**
 * What becomes of members of results that the contract does not know: `keep` lands them with their page, `ignore` leaves them
 * out, `fail` ends the run before anything of that kind is written.
 */
export const DriftPolicy = Schema.Literals(["keep", "ignore", "fail"]).annotate({
  identifier: "Drift",
  description: "What becomes of members of the API's results that are not known here; keep when absent."
})
export type DriftPolicy = typeof DriftPolicy.Type

/** A server makes names up: so many are told, and so much of each. */
const mostNames = 100
const longestName = 100

/** The names of members the contract does not know, as they are met. */
export class DriftNames {
  readonly #names: Set<string>
  #fresh: Array<string> = []

  /** `known` were met by earlier attempts. */
  constructor(known: Iterable<string> = []) {
    this.#names = new Set(known)
  }

  /** Takes note of the members of a record. */
  meet(extra: JsonObject): void {
    for (const name of namesIn(extra)) {
      if (this.#names.has(name) || this.#names.size >= mostNames) continue
      this.#names.add(name)
      this.#fresh.push(name)
    }
  }

  /** Those that were met since this was last asked. */
  takeFresh(): ReadonlyArray<string> {
    const fresh = this.#fresh
    this.#fresh = []
    return fresh
  }

  /** All of them, in order. */
  get all(): ReadonlyArray<string> {
    return [...this.#names].sort()
  }
}

/** The members of a result that are not known, those of `data` and `metadata` as `data.name`. They fit any text. */
export const namesIn = (extra: JsonObject): ReadonlyArray<string> =>
  Object.entries(extra)
    .flatMap(([name, value]) =>
      (name === "data" || name === "metadata") && typeof value === "object" && value !== null
        ? Object.keys(value).map((inner) => plain(`${name}.${inner}`))
        : [plain(name)]
    )
    .slice(0, mostNames)

const plain = (name: string): string =>
  name
    .slice(0, longestName)
    .toWellFormed()
    .replace(/\p{Cc}/gu, "\uFFFD")
