import { Option, Schema } from "effect"
import { isMembers, type Members } from "../api/answerFrame.ts"
import type { MemberDrift } from "./Question.ts"

/** The members of an object of the contract. */
export type ContractFields = Readonly<Record<string, Schema.Top & { readonly DecodingServices: never }>>

/** Members that a drift names at most. */
const most = 50
const plainName = /^[\w-]{1,64}$/

/** How a value differs in type, in a word. */
const typeWord = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "list"
  if (typeof value === "string") return "text"
  if (typeof value === "number") return Number.isInteger(value) ? "number" : "fraction"
  return typeof value
}

/**
 * How objects of one kind differ from the contract. A member is absent where none of them has it, and of another type where one of them
 * has it so. Members of `inside` are compared one level deeper, by `member.inner`.
 */
export const memberDrift = (
  objects: ReadonlyArray<unknown>,
  fields: ContractFields,
  inside: Readonly<Record<string, ContractFields>> = {}
): MemberDrift => {
  const drift = driftOf(objects.filter(isMembers), fields, Object.keys(inside))
  for (const [member, inner] of Object.entries(inside)) {
    const nested = objects.filter(isMembers).flatMap((object) => (isMembers(object[member]) ? [object[member]] : []))
    if (nested.length === 0) continue
    const under = driftOf(nested, inner, [])
    drift.absent.push(...under.absent.map((name) => `${member}.${name}`))
    drift.extra.push(...under.extra.map((name) => `${member}.${name}`))
    for (const [name, word] of Object.entries(under.mistyped)) drift.mistyped[`${member}.${name}`] = word
  }
  return drift
}

const driftOf = (objects: ReadonlyArray<Members>, fields: ContractFields, nested: ReadonlyArray<string>) => {
  const names = new Set(objects.flatMap(Object.keys))
  const mistyped: Record<string, string> = {}
  for (const [name, schema] of Object.entries(fields)) {
    const fits = Schema.decodeUnknownOption(Schema.Struct({ value: schema }))
    const wrong = objects.find(
      (object) =>
        object[name] !== undefined &&
        !isDeeper(object[name], name, nested) &&
        Option.isNone(fits({ value: object[name] }))
    )
    if (wrong !== undefined) mistyped[name] = typeWord(wrong[name])
  }
  return {
    absent: objects.length === 0 ? [] : Object.keys(fields).filter((name) => !names.has(name)),
    extra: [...names]
      .filter((name) => fields[name] === undefined && plainName.test(name))
      .slice(0, most)
      .sort(),
    mistyped
  }
}

/** Whether a member is compared by its own members. */
const isDeeper = (value: unknown, name: string, nested: ReadonlyArray<string>): boolean =>
  nested.includes(name) && isMembers(value)

/** A drift in a few words, for evidence. */
export const describeDrift = ({ absent, extra, mistyped }: MemberDrift): string => {
  const parts = [
    ...(absent.length === 0 ? [] : [`without ${absent.join(", ")}`]),
    ...(extra.length === 0 ? [] : [`with ${extra.join(", ")}`]),
    ...Object.entries(mistyped).map(([name, word]) => `${name} is ${word}`)
  ]
  return parts.length === 0 ? "as the contract says" : parts.join("; ")
}
