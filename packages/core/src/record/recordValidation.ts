import type { PageRecord } from "./PageRecord.ts"

/** Why a record was quarantined. */
export type InvalidReason = ValidationReason | "refused" | "contract"

/** What is wrong with a record that no table takes. */
export type ValidationReason = "nul_byte" | "lone_surrogate" | "out_of_range"

/** A quarantined record. */
export interface DeadLetter {
  readonly record: PageRecord
  readonly reason: InvalidReason
  /** The server's words where it refused, where it departs from the contract where that did; without values. */
  readonly detail: string
}

/** A record as a letter, where no store takes it: the contract refused it, or it is dirty. */
export const deadLetterOf = (record: PageRecord): DeadLetter | undefined => {
  if (record.refusal !== null) return { record, reason: record.refusal.reason, detail: record.refusal.detail }
  const invalid = findInvalid(record)
  return invalid === undefined ? undefined : { record, reason: invalid, detail: describeInvalid[invalid] }
}

/** What no table takes: text with a NUL byte or half a surrogate pair, a number that is no int4. */
export const findInvalid = (record: PageRecord): ValidationReason | undefined => {
  for (const text of textsOf(record)) {
    if (text.includes("\0")) return "nul_byte"
    if (!text.isWellFormed()) return "lone_surrogate"
  }
  return isInt4(record.depth) &&
    isInt4(record.inputIndex) &&
    isInt4(record.httpStatus) &&
    isInt4(record.durationMs) &&
    isInt4(record.retryCount) &&
    isInt4(record.tokensCharged)
    ? undefined
    : "out_of_range"
}

/** The reasons in words. */
export const describeInvalid: { readonly [R in ValidationReason]: string } = {
  nul_byte: "text with a NUL byte, which no table takes",
  lone_surrogate: "text with half a surrogate pair, which is no Unicode",
  out_of_range: "a number that is no 32-bit integer"
}

/** Text a column takes, with what it does not replaced by U+FFFD. */
export const cleanText = (text: string): string => text.toWellFormed().replaceAll("\0", "\uFFFD")

/** A whole record as JSON, or the result it was to be made of; escapes make every string valid text. */
export const rawJson = ({ answer: _, ...record }: PageRecord): string =>
  record.refusal?.raw ??
  JSON.stringify(record, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))

function* textsOf(record: PageRecord): Generator<string> {
  yield record.jobId
  yield record.url
  if (record.parentUrl !== null) yield record.parentUrl
  if (record.errorCode !== null) yield record.errorCode
  if (record.errorMessage !== null) yield record.errorMessage
  if (record.markdown !== null) yield record.markdown
  if (record.html !== null) yield record.html
  // One long text is searched faster than many short ones; the separator keeps halves of two links apart.
  if (record.links.length > 0) yield record.links.join("\n")
  if (record.extra !== null) yield* textsIn(record.extra)
}

/** Names and strings at any depth: `jsonb` refuses what `text` does, escaped or not. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === "string") yield value
  if (typeof value !== "object" || value === null) return
  for (const [name, inner] of Object.entries(value)) {
    yield name
    yield* textsIn(inner)
  }
}

/** Whether an `int` column takes it. */
export const isInt4 = (value: number | null): boolean => value === null || (value | 0) === value
