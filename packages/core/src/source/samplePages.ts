import { type PageRecord, pageKey, weigh } from "../record/PageRecord.ts"
import type { Source } from "./Source.ts"

/**
 * Pages such as a source may deliver, for a store to be tried with: one beside the first URL it names, and that URL's own. Their
 * job is none of the API's.
 */
export const samplePages = (source: Source): ReadonlyArray<PageRecord> => {
  const { formats, inputIndex, url } = askedFor(source)
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

/** What a source asks for first. Lists of URLs are counted from 0, where a crawl has depths. */
const askedFor = ({ batch, crawl, extract, map }: Source) => {
  const list = extract ?? batch
  if (list !== undefined) return { url: list.urls[0]!, formats: list.formats, inputIndex: 0 }
  if (crawl !== undefined) return { url: crawl.url, formats: crawl.formats, inputIndex: null }
  const into = map!.into === undefined ? undefined : "extract" in map!.into ? map!.into.extract : map!.into.batch
  return { url: map!.url, formats: into?.formats ?? [], inputIndex: 0 }
}
