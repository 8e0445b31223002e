import type { IncomingMessage } from "node:http"
import type { ObjectStore } from "./ObjectStore.ts"
import type { S3Answer } from "./S3Answer.ts"
import { S3Error } from "./S3Error.ts"

/** Where a request goes: a path-style address, decoded. */
export interface S3Target {
  readonly method: string
  readonly bucket: string
  readonly key: string
  /** Path and query as they were sent, for the signature. */
  readonly rawPath: string
  readonly rawQuery: string
  readonly query: ReadonlyMap<string, string>
  /** By lower-case name; repeated ones joined by commas. */
  readonly headers: ReadonlyMap<string, string>
}

/** A request whose signature and payload have been verified. */
export interface S3Request extends S3Target {
  readonly body: Buffer
  /** Of the payload: from a header or a trailer, and found right. */
  readonly trailers: ReadonlyMap<string, string>
}

/** Answers one operation. It runs at once from beginning to end, so that no two requests see each other half done. */
export type S3Handler = (request: S3Request, store: ObjectStore) => S3Answer

/** Reads the address and the headers of a request. */
export const targetOf = (message: IncomingMessage): S3Target => {
  const url = message.url ?? "/"
  const cut = url.indexOf("?")
  const rawPath = cut === -1 ? url : url.slice(0, cut)
  const rawQuery = cut === -1 ? "" : url.slice(cut + 1)
  const path = decoded(rawPath).slice(1)
  const slash = path.indexOf("/")
  return {
    method: message.method ?? "",
    bucket: slash === -1 ? path : path.slice(0, slash),
    key: slash === -1 ? "" : path.slice(slash + 1),
    rawPath,
    rawQuery,
    query: new Map(
      pairs(rawQuery).map(([name, value]) => [decoded(name), decoded(value.replaceAll("+", " "))] as const)
    ),
    headers: new Map(
      Object.entries(message.headersDistinct).map(
        ([name, values]) => [name, (values ?? []).map((value) => value.trim()).join(",")] as const
      )
    )
  }
}

/** The members of a query, as they were sent. */
export const pairs = (rawQuery: string): ReadonlyArray<readonly [string, string]> =>
  rawQuery
    .split("&")
    .filter((member) => member !== "")
    .map((member) => {
      const cut = member.indexOf("=")
      return cut === -1 ? ([member, ""] as const) : ([member.slice(0, cut), member.slice(cut + 1)] as const)
    })

/** Undoes percent-encoding. */
export const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Error("InvalidURI", "Couldn't parse the specified URI.")
  }
}

/** Percent-encodes as the signature and lists of keys want it: all but letters, digits and `-._~`. */
export const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** A whole number of the query, within bounds. */
export const numberIn = (
  request: S3Target,
  name: string,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number }
): number => {
  const given = request.query.get(name)
  if (given === undefined) return otherwise
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN
  if (!(value >= least)) throw new S3Error("InvalidArgument", `${name} must be an integer from ${least} to ${most}.`)
  return Math.min(value, most)
}
