import { Option } from "effect"
import { normalizeUrl } from "../net/normalizeUrl.ts"

/** Pages a file may have. */
const maxPages = 2_000

/** The text of a PDF file, page by page, and the links on its pages. It is read by PDF.js, which is loaded with the first file. */
export const pdfContent = async (
  body: Uint8Array,
  url: string
): Promise<{ readonly text: string; readonly links: ReadonlyArray<string> }> => {
  const { extractLinks, extractText, getDocumentProxy } = await import("unpdf")
  const file = await getDocumentProxy(new Uint8Array(body))
  if (file.numPages > maxPages) throw new Error(`the file has more than ${maxPages} pages`)
  const { text } = await extractText(file, { mergePages: false })
  const links = new Set<string>()
  for (const link of (await extractLinks(file)).links) {
    const normal = normalizeUrl(link, url)
    if (Option.isSome(normal)) links.add(normal.value)
  }
  const pages = text.map((page) => page.trim()).filter((page) => page !== "")
  return { text: pages.length === 0 ? "" : `${pages.join("\n\n")}\n`, links: [...links] }
}
