import { Schema } from "effect"
import { inShort } from "./errorShape.ts"
import { describeDrift } from "./memberDrift.ts"
import { ErrorShape, MemberDrift } from "./Question.ts"

const isDrift = Schema.is(MemberDrift)
const isShape = Schema.is(ErrorShape)

/** The value of an answer in a few words. */
export const describeAnswer = (value: unknown): string => {
  if (value === null || value === undefined) return "open"
  if (typeof value === "boolean") return value ? "yes" : "no"
  if (isDrift(value)) return describeDrift(value)
  if (isShape(value)) return inShort(value)
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(describeAnswer).join(", ")
  if (typeof value === "object") {
    const members = Object.entries(value).map(([name, inner]) => `${name} ${describeAnswer(inner)}`)
    return members.length === 0 ? "none" : members.join(", ")
  }
  return String(value)
}
