import type { OutputFormat } from "@sluice/contract"
import { Option } from "effect"
import { type ContentKind, declaredKind, mediaType } from "../net/ContentType.ts"
import { decodedFrom } from "../net/decodeText.ts"
import { pageEncoding } from "../net/pageEncoding.ts"
import { canonicalOf, type HtmlDocument, linksOf, parseHtml, parseXhtml } from "./HtmlDocument.ts"
import { type MarkdownExtent, markdownOf } from "./Markdown.ts"
import { pdfContent } from "./pdfContent.ts"
import { feedLinks, fenced } from "./plainContent.ts"

/** What a page is turned into. A format that was not asked for is null; `links` are always there. */
export interface PageContent {
  readonly markdown: string | null
  readonly html: string | null
  readonly links: ReadonlyArray<string>
  /** The URL that the page names as its canonical one. Not stored. */
  readonly canonical?: string | null
}

/** A page to convert: plain data, because it may be sent to another thread. */
export interface ConversionRequest {
  /** What relative references are resolved against, unless the page says otherwise. */
  readonly url: string
  readonly contentType: string
  readonly body: Uint8Array
  /** Whether a browser has rendered the page. */
  readonly scriptsHaveRun: boolean
  /** The encoding that the page came in, if it was encoded again since. */
  readonly encoding?: string
  readonly formats: ReadonlyArray<OutputFormat>
  readonly extent: MarkdownExtent
}

/** Whether content is read in a thread, however small it is. */
export const isForThread = (contentType: string): boolean => declaredKind(contentType) === "pdf"

/** Converts what a page is, or a file. Throws what it could not do. */
export const anyContentOf = (request: ConversionRequest): PageContent | Promise<PageContent> =>
  isForThread(request.contentType) ? ofPdf(request) : contentOf(request)

const ofPdf = async ({ body, formats, url }: ConversionRequest): Promise<PageContent> => {
  const { links, text } = await pdfContent(body, url)
  return {
    markdown: formats.includes("markdown") ? text : null,
    html: formats.includes("html") ? text : null,
    links
  }
}

/** Converts a page, in one go. Throws what it could not do. */
export const contentOf = (request: ConversionRequest): PageContent => {
  const encoding = pageEncoding(request.body, request.contentType)
  const text = decodedFrom(request.body, encoding)
  return conversions[kindOf(request.contentType)]({ ...request, encoding: request.encoding ?? encoding }, text)
}

/** What says nothing of itself has been looked at by now: only HTML goes without a type. */
const kindOf = (contentType: string): Exclude<ContentKind, "pdf"> => {
  const kind = declaredKind(contentType)
  return kind === "text" || kind === "code" ? kind : "html"
}

type Conversion = (request: ConversionRequest, text: string) => PageContent

const ofHtml: Conversion = ({ contentType, encoding, extent, formats, scriptsHaveRun, url }, text) => {
  const asXml = isXml(contentType) ? parseXhtml(text, url, scriptsHaveRun, encoding) : Option.none()
  return ofDocument(
    Option.getOrElse(asXml, () => parseHtml(text, url, scriptsHaveRun, encoding)),
    { extent, formats },
    text
  )
}

const isXml = (contentType: string) => /(?:\/|\+)xml$/.test(mediaType(contentType))

const ofDocument = (
  document: HtmlDocument,
  { extent, formats }: Pick<ConversionRequest, "extent" | "formats">,
  text: string
): PageContent => {
  const links = linksOf(document)
  return {
    markdown: formats.includes("markdown") ? markdownOf(document, extent) : null,
    html: formats.includes("html") ? text : null,
    links,
    canonical: Option.getOrNull(canonicalOf(document))
  }
}

/** Plain text is its own Markdown and its own `html`, and has no links. */
const ofText: Conversion = ({ formats }, text) => ({
  markdown: formats.includes("markdown") ? text : null,
  html: formats.includes("html") ? text : null,
  links: []
})

/** JSON and XML become a fenced block, and have links if they are a feed. XHTML is a page, whatever XML it was sent as. */
const ofCode: Conversion = (request, text) => {
  const { contentType, encoding, formats, scriptsHaveRun, url } = request
  const page = isXml(contentType) ? parseXhtml(text, url, scriptsHaveRun, encoding) : Option.none()
  if (Option.isSome(page)) return ofDocument(page.value, request, text)
  return {
    markdown: formats.includes("markdown") ? fenced(text, contentType) : null,
    html: formats.includes("html") ? text : null,
    links: feedLinks(text, url)
  }
}

const conversions: Readonly<Record<Exclude<ContentKind, "pdf">, Conversion>> = {
  html: ofHtml,
  text: ofText,
  code: ofCode
}
