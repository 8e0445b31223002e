import type { PageRecord } from "@sluice/core"
import { cleanText, isInt4, weigh } from "@sluice/core/sink"

/** The record with what Postgres cannot store replaced: in texts by U+FFFD, numbers out of range by null. */
export const sanitizeRecord = (record: PageRecord): PageRecord => {
  const sanitized: PageRecord = {
    ...record,
    url: cleanText(record.url),
    parentUrl: textOrNull(record.parentUrl),
    errorCode: textOrNull(record.errorCode),
    errorMessage: textOrNull(record.errorMessage),
    markdown: textOrNull(record.markdown),
    html: textOrNull(record.html),
    links: record.links.map(cleanText),
    depth: int4OrNull(record.depth),
    inputIndex: int4OrNull(record.inputIndex),
    httpStatus: int4OrNull(record.httpStatus),
    durationMs: int4OrNull(record.durationMs),
    retryCount: int4OrNull(record.retryCount),
    tokensCharged: int4OrNull(record.tokensCharged),
    extra: record.extra === null ? null : (mendJson(record.extra) as PageRecord["extra"])
  }
  return { ...sanitized, bytes: weigh(sanitized) }
}

const textOrNull = (text: string | null) => (text === null ? null : cleanText(text))
const int4OrNull = (value: number | null) => (isInt4(value) ? value : null)

const mendJson = (value: unknown): unknown => {
  if (typeof value === "string") return cleanText(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(mendJson)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [cleanText(name), mendJson(inner)]))
}
