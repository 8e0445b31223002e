import type { OutputFormat } from "@sluice/contract"
import { decodeText } from "../Charset.ts"
import { linksOf, parseHtml } from "./HtmlDocument.ts"
import { type MarkdownExtent, markdownOf } from "./Markdown.ts"

/** What a page is turned into. A format that was not asked for is null; `links` are always there. */
export interface PageContent {
  readonly markdown: string | null
  readonly html: string | null
  readonly links: ReadonlyArray<string>
}

/** A page to convert: plain data, because it may be sent to another thread. */
export interface ConversionRequest {
  /** What relative references are resolved against, unless the page says otherwise. */
  readonly url: string
  readonly mediaType: string
  readonly contentType: string
  readonly body: Uint8Array
  /** Whether a browser has rendered the page. */
  readonly scriptsHaveRun: boolean
  readonly formats: ReadonlyArray<OutputFormat>
  readonly extent: MarkdownExtent
}

/** Converts a page, in one go. Throws what it could not do. */
export const contentOf = (request: ConversionRequest): PageContent =>
  (conversions[request.mediaType] ?? ofHtml)(request, decodeText(request.body, request.contentType))

type Conversion = (request: ConversionRequest, text: string) => PageContent

const ofHtml: Conversion = ({ extent, formats, scriptsHaveRun, url }, text) => {
  const document = parseHtml(text, url, scriptsHaveRun)
  const links = linksOf(document)
  return {
    markdown: formats.includes("markdown") ? markdownOf(document, extent) : null,
    html: formats.includes("html") ? text : null,
    links
  }
}

/** Plain text is its own Markdown and its own `html`, and has no links. */
const ofText: Conversion = ({ formats }, text) => ({
  markdown: formats.includes("markdown") ? text : null,
  html: formats.includes("html") ? text : null,
  links: []
})

/** How content is converted that is not HTML. */
const conversions: Readonly<Record<string, Conversion>> = { "text/plain": ofText }
