import type { Schema } from "effect"
import type { NoteUnread } from "./lenientReader.ts"
import type { JsonObject, PageRecord } from "./PageRecord.ts"
import { storableJson } from "./storableJson.ts"

/** Values of one result that could not be read. They are kept with their page, under the names the API gave them. */
export class UnreadValues {
  readonly #values = new Map<string, { readonly path: ReadonlyArray<string>; value: Schema.Json }>()

  /** Takes in a value and where it was. Elements of a list are kept as a list of those that could not be read. */
  readonly note: NoteUnread = (path, raw) => {
    const at = path.findIndex((part) => typeof part === "number")
    const members = (at === -1 ? path : path.slice(0, at)).map(String)
    const name = members.join(".")
    const value = storableJson(raw)
    const before = this.#values.get(name)?.value
    const list = at === -1 ? value : [...(Array.isArray(before) ? before : []), value]
    this.#values.set(name, { path: members, value: list })
  }

  /** Adds the values to what else a page holds that the contract does not know. */
  addTo(extra: JsonObject | null): Pick<PageRecord, "extra" | "unread"> {
    if (this.#values.size === 0) return { extra }
    let added: JsonObject = extra ?? {}
    for (const { path, value } of this.#values.values()) added = withValue(added, path, value)
    return { extra: added, unread: [...this.#values.keys()] }
  }
}

const withValue = (object: JsonObject, [name = "", ...rest]: ReadonlyArray<string>, value: Schema.Json): JsonObject => {
  const inner = Object.hasOwn(object, name) ? object[name] : undefined
  const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner)
  const next = rest.length === 0 ? value : withValue(isObject ? (inner as JsonObject) : {}, rest, value)
  return Object.fromEntries([...Object.entries(object).filter(([other]) => other !== name), [name, next]])
}
