import { parseHtml } from "../../apps/scraper/src/conversion/HtmlDocument.ts"
import { type MarkdownExtent, markdownOf } from "../../apps/scraper/src/conversion/Markdown.ts"
import type { Sample } from "./Corpus.ts"
import { within } from "./Expectation.ts"
import { renderMarkdown } from "./RenderedMarkdown.ts"
import { meanOf, score } from "./Score.ts"

/** What the scraper's own conversion of a page scores over all, out of 100, to a tenth. */
export const productScore = ({ expected, html, url }: Sample, extent: MarkdownExtent): number => {
  const rendered = renderMarkdown(markdownOf(parseHtml(html, url), extent), url)
  return Math.round(meanOf(score(within(extent, expected), rendered)) * 1000) / 10
}
