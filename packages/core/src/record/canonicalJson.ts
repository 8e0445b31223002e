import { hash } from "node:crypto"

/** JSON with members in the order of their names and without undefined ones: equal values, equal text. */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, sortMembers)

/** SHA-256 of {@link canonicalJson}, in hex. */
export const canonicalHash = (value: unknown): string => hash("sha256", canonicalJson(value), "hex")

const sortMembers = (_: string, value: unknown): unknown => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
