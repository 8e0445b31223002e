import type { PageRecord } from "@sluice/core"

/** Why a record was set aside. */
export type DirtyReason = "nul_byte" | "lone_surrogate" | "out_of_range" | "refused"

/** A record set aside instead of written. */
export interface DeadLetter {
  readonly record: PageRecord
  readonly reason: DirtyReason
  /** The server's words where it refused, without values. */
  readonly detail: string
}

/** What no column of ours takes: text with a NUL byte or half a surrogate pair, a number that is no int4. */
export const findDirt = (record: PageRecord): Exclude<DirtyReason, "refused"> | undefined => {
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
export const dirtDetail: { readonly [R in Exclude<DirtyReason, "refused">]: string } = {
  nul_byte: "text with a NUL byte, which Postgres does not store",
  lone_surrogate: "text with half a surrogate pair, which is no Unicode",
  out_of_range: "a number that is no 32-bit integer"
}

/** Text a column takes, with what it does not replaced by U+FFFD. */
export const cleanText = (text: string): string => text.toWellFormed().replaceAll("\0", "\uFFFD")

/** A whole record as JSON; escapes make every string valid text. */
export const rawJson = (record: PageRecord): string =>
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
}

const isInt4 = (value: number | null): boolean => value === null || (value | 0) === value
