import type { PageRecord } from "@sluice/core"
import { pageKey } from "@sluice/core/sink"

/** The work every loading bench does: so many pages, with so many links and bytes of Markdown each. */
export interface Work {
  readonly pages: number
  readonly links: number
  readonly size: number
}

const words = "sluice lands each page once and counts what the crawl was paid for before it ends in a receipt".split(
  " "
)
const paragraph = (seed: number, size: number): string => {
  let text = ""
  for (let state = seed + 1; text.length < size; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    text += `${words[(state >>> 8) % words.length]} ${(state >>> 20).toString(36)} `
  }
  return text.slice(0, size)
}

/** The n-th page of the work, as a record of a job. The same for everybody who asks. */
export const makePages = ({ links, pages, size }: Work): ((jobId: string, at: number) => PageRecord) => {
  const bodies = Array.from({ length: 256 }, (_, seed) => paragraph(seed, size))
  const urls = Array.from(
    { length: pages },
    (_, at) => `https://site.example/section-${at % 97}/article-${at}-of-many-words`
  )
  return (jobId, at) => {
    const url = urls[at]!
    return {
      jobId,
      key: pageKey(url),
      url,
      inputIndex: null,
      parentUrl: urls[at >> 4]!,
      depth: 3,
      status: "completed",
      errorCode: null,
      errorMessage: null,
      // Flat, as JSON.parse makes it.
      markdown: Buffer.from(`${at} ${bodies[at % bodies.length]}`).toString(),
      html: null,
      links: Array.from({ length: links }, (_, n) => urls[(at * 31 + n * 131) % pages]!),
      httpStatus: 200,
      durationMs: 120,
      retryCount: 0,
      tokensCharged: 1,
      extra: null,
      refusal: null,
      bytes: size
    }
  }
}
