import type { PageRecord } from "@sluice/core"
import { canonicalJson, hash64 } from "@sluice/core/sink"

/**
 * The 64-bit identity of a page's content: everything but how it was fetched. Two contents share one once in 10^19
 * comparisons; what is equal need not be sent. The record must be clean: NUL parts the fields. Without `extra` it is what it
 * was before there was any, so that pages that landed then count as unchanged.
 */
export const fingerprint = (record: PageRecord): bigint => {
  const fields = [
    `${record.depth}`,
    `${record.inputIndex}`,
    record.status,
    record.url,
    field(record.parentUrl),
    field(record.errorCode),
    field(record.errorMessage),
    field(record.markdown),
    field(record.html),
    ...record.links
  ]
  if (record.extra !== null) fields.unshift(`extra${canonicalJson(record.extra)}`)
  return hash64(fields.join("\0"))
}

const field = (text: string | null): string => (text === null ? "" : `=${text}`)
