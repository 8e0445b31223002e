import { type PageRecord, pageKey, weigh } from "../record/PageRecord.ts"
import type { Source } from "./Source.ts"
import { boundSource } from "./sourceKinds.ts"

/**
 * Pages such as a source may deliver, for a store to be tried with: one beside the first URL it names, and that URL's own. Their
 * job is none of the API's.
 */
export const samplePages = (source: Source): ReadonlyArray<PageRecord> => {
  const { formats, inputIndex, url } = boundSource(source).firstPage()
  return [
    { url: new URL("sluice-dry-load", url).href, parentUrl: url },
    { url, parentUrl: null }
  ].map(({ parentUrl, url: own }) => {
    const depth = inputIndex === null ? (parentUrl === null ? 1 : 2) : null
    const record = {
      jobId: sampleJobId,
      key: pageKey(own),
      url: own,
      inputIndex,
      parentUrl: inputIndex === null ? parentUrl : null,
      depth,
      status: "completed" as const,
      errorCode: null,
      errorMessage: null,
      markdown: formats.includes("markdown") ? sampleText : null,
      html: formats.includes("html") ? `<!DOCTYPE html><title>Dry load</title><p>${sampleText}` : null,
      links: [url, new URL("sluice-dry-load-of-a-link", url).href],
      httpStatus: 200,
      durationMs: 250,
      retryCount: 0,
      tokensCharged: 1,
      extra: null,
      refusal: null
    }
    return { ...record, bytes: weigh(record) }
  })
}

/** No job of the API has this id. */
const sampleJobId = "sluice-dry-load"

const sampleText = `# Dry load

Sluice writes this page, and takes it back, to find out whether a run can be loaded before anything is paid for it.`
