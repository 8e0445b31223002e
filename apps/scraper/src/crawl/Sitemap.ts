import { gunzip } from "node:zlib"
import { Effect } from "effect"
import { Parser } from "htmlparser2"
import { decodeText } from "../net/decodeText.ts"
import { finalFailure, type PageFailure } from "../net/PageFailure.ts"

/** What a sitemap file names: pages, or further sitemaps. As written there, which may be anything. */
export interface Sitemap {
  readonly pages: ReadonlyArray<string>
  readonly sitemaps: ReadonlyArray<string>
}

/**
 * Reads a sitemap, a sitemap index or a plain list of URLs, gzipped or not, up to `maxUrls` entries. A file that unpacks
 * to more than `maxBytes` fails. What is no sitemap names nothing.
 */
export const readSitemap = Effect.fnUntraced(function* (
  file: { readonly body: Uint8Array; readonly contentType: string },
  bounds: { readonly maxBytes: number; readonly maxUrls: number }
): Effect.fn.Return<Sitemap, PageFailure> {
  const body = isGzip(file.body) ? yield* unpack(file.body, bounds.maxBytes) : file.body
  const text = decodeText(body, file.contentType)
  return /^\s*</.test(text) ? parseXml(text, bounds.maxUrls) : parseList(text, bounds.maxUrls)
})

const isGzip = (body: Uint8Array): boolean => body[0] === 0x1f && body[1] === 0x8b

const unpack = (body: Uint8Array, maxBytes: number): Effect.Effect<Uint8Array, PageFailure> =>
  Effect.callback((resume) => {
    gunzip(body, { maxOutputLength: maxBytes }, (error, unpacked) => {
      if (error === null) return resume(Effect.succeed(unpacked))
      const tooLarge = "code" in error && error.code === "ERR_BUFFER_TOO_LARGE"
      resume(
        tooLarge
          ? finalFailure("PAGE_TOO_LARGE", `The sitemap unpacks to more than ${maxBytes} bytes`)
          : finalFailure("CONVERSION_ERROR", "The gzipped sitemap is damaged")
      )
    })
  })

/** Fed in pieces, so that reading ends once enough has been found. */
const pieceLength = 64 * 1024

const parseXml = (text: string, maxUrls: number): Sitemap => {
  const pages: Array<string> = []
  const sitemaps: Array<string> = []
  const path: Array<string> = []
  let location = ""
  const parser = new Parser(
    {
      onopentagname: (name) => {
        path.push(name)
        if (name === "loc") location = ""
      },
      ontext: (part) => {
        if (path.at(-1) === "loc") location += part
      },
      onclosetag: (name) => {
        path.pop()
        const into = name !== "loc" ? undefined : path.at(-1) === "url" ? pages : sitemaps
        const isEntry = into === pages || path.at(-1) === "sitemap"
        if (into !== undefined && isEntry && pages.length + sitemaps.length < maxUrls) into.push(location.trim())
      }
    },
    { xmlMode: true, decodeEntities: true }
  )
  for (let at = 0; at < text.length && pages.length + sitemaps.length < maxUrls; at += pieceLength) {
    parser.write(text.slice(at, at + pieceLength))
  }
  parser.end()
  return { pages, sitemaps }
}

const parseList = (text: string, maxUrls: number): Sitemap => {
  const pages: Array<string> = []
  for (const [line] of text.matchAll(/\S+/g)) {
    if (pages.length >= maxUrls) break
    if (/^https?:\/\//i.test(line)) pages.push(line)
  }
  return { pages, sitemaps: [] }
}
