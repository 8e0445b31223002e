import { promisify } from "node:util"
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib"
import { Effect } from "effect"
import { type HttpClientError, HttpClientResponse } from "effect/http"
import { Unreadable } from "./ScraperError.ts"

/** No answer of the API is larger, and one that claims to be is not unpacked further. */
const largestAnswer = 512 * 1024 * 1024

type Unpack = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>

const encodings: Readonly<Record<string, Unpack>> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress)
}

/**
 * An answer without its content encoding. Sluice asks for none, yet proxies compress what they pass on. Some HTTP clients have decoded the
 * body and left the header: such a body stays as it is.
 */
export const decodedAnswer = (
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError | Unreadable> => {
  const named = (response.headers["content-encoding"] ?? "identity")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
  const unpackings = named.filter((name) => name !== "" && name !== "identity").map((name) => encodings[name])
  if (unpackings.length === 0) return Effect.succeed(response)
  return Effect.gen(function* () {
    let body = new Uint8Array(yield* response.arrayBuffer)
    // The last encoding was put on last.
    for (const unpack of unpackings.toReversed()) {
      if (isText(body)) break
      if (unpack === undefined) return yield* cannotUnpack(named.join(", "))
      const packed = body
      body = new Uint8Array(
        yield* Effect.tryPromise({
          try: () => unpack(packed, { maxOutputLength: largestAnswer }),
          catch: () => cannotUnpack(named.join(", "))
        })
      )
    }
    const { "content-encoding": _, "content-length": __, ...headers } = response.headers
    const hasBody = ![204, 205, 304].includes(response.status)
    return HttpClientResponse.fromWeb(
      response.request,
      new Response(hasBody ? body : null, { status: response.status, headers })
    )
  })
}

/** Whether it can be JSON, HTML or nothing as it is. Of Brotli alone the first byte can be one of those, but not the first two. */
const isText = (body: Uint8Array): boolean => {
  const start = Buffer.from(body.subarray(0, 64)).toString("latin1")
  return start === "" || /^(?:\xef\xbb\xbf)?\s*(?:[{[]\s*["{}\]\d[tfn-]|<[!?a-zA-Z]|"|-?\d|true|false|null)/.test(start)
}

const cannotUnpack = (encoding: string) =>
  new Unreadable({ detail: `its content encoding (${encoding}) cannot be undone`, broken: true })
