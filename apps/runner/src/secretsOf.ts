import { Predicate, Redacted } from "effect"
import type { SecretBox } from "./Secrets.ts"

/** How deep a decoded pipeline file is searched: it is no deeper. */
const deepest = 12

/** Remembers what is secret in a decoded pipeline file: what its schema redacts, and the headers that are sent to pages. */
export const rememberSecrets = (secrets: SecretBox, value: unknown, depth = 0): void => {
  if (depth > deepest) return
  if (Redacted.isRedacted(value)) {
    const secret = Redacted.value(value)
    if (typeof secret !== "string") return
    if (value.label === "url") secrets.addAddress(secret)
    else secrets.add(secret)
    return
  }
  if (Array.isArray(value)) for (const each of value) rememberSecrets(secrets, each, depth + 1)
  if (!Predicate.isReadonlyObject(value) || Array.isArray(value)) return
  for (const [name, member] of Object.entries(value)) {
    if (name === "headers" && Predicate.isReadonlyObject(member)) {
      for (const header of Object.values(member)) if (typeof header === "string") secrets.add(header)
    } else rememberSecrets(secrets, member, depth + 1)
  }
}
