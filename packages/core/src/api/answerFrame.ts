import { JobId } from "@sluice/contract"
import { Effect } from "effect"
import { looseText, unreadable } from "../record/looseValues.ts"
import { Unreadable } from "./ScraperError.ts"

/** An object of JSON. */
export type Members = { readonly [member: string]: unknown }

/** Whether a value is one. */
export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** An answer of which not even the frame is what the contract says. */
export const misfit = (where: string): Effect.Effect<never, Unreadable> =>
  Effect.fail(new Unreadable({ detail: `it does not fit the contract: ${where}`, broken: false }))

/** The members of an answer. */
export const membersOf = (raw: unknown): Effect.Effect<Members, Unreadable> =>
  isMembers(raw) ? Effect.succeed(raw) : misfit("it is no object")

/** A job id of any kind; empty where an answer names none. */
export const idOf = (raw: unknown): JobId => {
  const id = looseText(raw)
  return JobId.make(id === null || id === unreadable ? "" : id.trim())
}

const uuid = /^(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i

const canonicalId = (id: string): string => uuid.exec(id)?.slice(1).join("-").toLowerCase() ?? id

/** Whether an answer is about the job it was asked for. One that names none is; a UUID is one in any spelling. */
export const isSameJob = (told: string, asked: JobId): boolean =>
  told === "" || told === asked || canonicalId(told) === canonicalId(asked)
