import type { OutputFormat } from "@sluice/contract"
import { Effect, Option } from "effect"
import { decodeText } from "./Charset.ts"
import { declaredKind } from "./ContentType.ts"
import type { LoadedPage } from "./Fetcher.ts"
import { canonicalOf, linksOf, parseHtml } from "./HtmlDocument.ts"
import { markdownOf } from "./Markdown.ts"
import { finalFailure, type PageFailure } from "./PageFailure.ts"
import { feedLinks, fenced } from "./plainContent.ts"

/** What a page is turned into. A format that was not asked for is null; `links` are always there. */
export interface PageContent {
  readonly markdown: string | null
  readonly html: string | null
  readonly links: ReadonlyArray<string>
  /** The URL that the page names as its canonical one. Not stored. */
  readonly canonical?: string | null
}

/**
 * Decodes and converts a page. Plain text is its own Markdown and its own `html`, and has no links; JSON and
 * XML become a fenced block, and have links if they are a feed. The work is done in
 * one go on the main thread; it yields first, so requests are answered between two pages.
 */
export const contentOf = Effect.fnUntraced(function* (
  page: LoadedPage,
  formats: ReadonlyArray<OutputFormat>
): Effect.fn.Return<PageContent, PageFailure> {
  yield* Effect.yieldNow
  return yield* Effect.try({
    try: () => convert(page, formats),
    catch: (cause) => finalFailure("CONVERSION_ERROR", `The page cannot be converted: ${cause}`, page.httpStatus)
  })
})

const convert = (page: LoadedPage, formats: ReadonlyArray<OutputFormat>): PageContent => {
  const text = decodeText(page.body, page.contentType)
  const html = formats.includes("html") ? text : null
  const kind = declaredKind(page.contentType)
  if (kind === "text" || kind === "code") {
    const markdown = kind === "text" ? text : fenced(text, page.contentType)
    const links = kind === "text" ? [] : feedLinks(text, page.url)
    return { markdown: formats.includes("markdown") ? markdown : null, html, links }
  }
  const document = parseHtml(text, page.renderedBase ?? page.url, page.renderedBase !== undefined)
  const links = linksOf(document)
  const canonical = Option.getOrNull(canonicalOf(document))
  return { markdown: formats.includes("markdown") ? markdownOf(document) : null, html, links, canonical }
}
