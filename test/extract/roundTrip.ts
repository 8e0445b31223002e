import { parseHtml } from "../../apps/scraper/src/conversion/HtmlDocument.ts"
import { markdownOf } from "../../apps/scraper/src/conversion/Markdown.ts"
import type { Sample } from "./Corpus.ts"
import { renderMarkdown } from "./RenderedMarkdown.ts"

/** Where what a page's Markdown says parts from what a browser shows, but for white space; undefined if it says the same. */
export const roundTripDifference = ({ expected, html, url }: Sample): string | undefined => {
  const shown = bare(expected.text.map(({ text }) => text).join(" "))
  const read = bare(renderMarkdown(markdownOf(parseHtml(html, url)), url).text)
  if (shown === read) return undefined
  let at = 0
  while (shown[at] === read[at]) at++
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 20), at + 40))
  return `shown ${around(shown)}, read ${around(read)}`
}

const bare = (text: string): string => text.replace(/[\s\u00a0\u200b\u00ad]+/g, "")
