import { Option } from "effect"
import { Parser } from "htmlparser2"
import { mediaType } from "../net/ContentType.ts"
import { normalizeUrl } from "../net/normalizeUrl.ts"

/** The Markdown of JSON or XML: a fenced block, whose fence is longer than any in it. */
export const fenced = (text: string, contentType: string): string => {
  const fence = "`".repeat(Math.max(3, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length + 1)))
  const language = /json$/.test(mediaType(contentType)) ? "json" : "xml"
  return `${fence}${language}\n${text.endsWith("\n") ? text : `${text}\n`}${fence}\n`
}

/** The links of an RSS or Atom feed, absolute and each once; other XML and JSON has none. */
export const feedLinks = (text: string, url: string): ReadonlyArray<string> => {
  const links = new Set<string>()
  let isFeed: boolean | undefined
  let inLink = false
  let content = ""
  const take = (href: string) => {
    const link = normalizeUrl(href.trim(), url)
    if (Option.isSome(link)) links.add(link.value)
  }
  const parser = new Parser(
    {
      onopentag: (name, { href }) => {
        isFeed ??= name === "rss" || name === "feed" || name === "rdf:RDF"
        if (!isFeed || name !== "link") return
        inLink = true
        content = ""
        if (href !== undefined) take(href)
      },
      ontext: (part) => {
        if (inLink) content += part
      },
      onclosetag: (name) => {
        if (name !== "link") return
        if (inLink && content.trim() !== "") take(content)
        inLink = false
      }
    },
    { xmlMode: true, decodeEntities: true }
  )
  parser.write(text)
  parser.end()
  return [...links]
}
