import type { StoredObject } from "./ObjectStore.ts"
import { S3Error } from "./S3Error.ts"
import type { S3Target } from "./S3Request.ts"

/**
 * How a store keeps conditions of writes: as S3 does, not at all, or only where an ETag comes without its quotes. `unimplemented`
 * answers them with 501, `invalid` with 400.
 */
export type WriteConditions = "kept" | "ignored" | "bare" | "unimplemented" | "invalid"

/** A request as a store sees it that keeps conditions in its own way. */
export const asKept = (target: S3Target, kept: WriteConditions): S3Target => {
  if (kept === "kept" || target.method === "GET" || target.method === "HEAD") return target
  const headers = new Map(target.headers)
  if (kept === "bare") {
    // What it does not understand matches nothing.
    if (headers.get("if-match")?.startsWith('"') === true) headers.set("if-match", "quoted")
    return { ...target, headers }
  }
  if (kept !== "ignored" && (headers.has("if-match") || headers.has("if-none-match"))) {
    const what = "A header you provided implies functionality that is not implemented."
    throw new S3Error(kept === "invalid" ? "InvalidArgument" : "NotImplemented", what)
  }
  headers.delete("if-match")
  headers.delete("if-none-match")
  return { ...target, headers }
}

/** Refuses a write whose `If-Match` or `If-None-Match` does not hold. */
export const checkWriteConditions = ({ headers, key }: S3Target, present: StoredObject | undefined): void => {
  const ifNoneMatch = headers.get("if-none-match")
  const ifMatch = headers.get("if-match")
  if ((ifNoneMatch !== undefined && ifNoneMatch !== "*") || ifMatch === "*" || (ifNoneMatch && ifMatch)) {
    throw new S3Error("NotImplemented", "A header you provided implies functionality that is not implemented.")
  }
  if (ifNoneMatch === "*" && present !== undefined) throw failed("If-None-Match")
  if (ifMatch === undefined) return
  if (present === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.", { Key: key })
  if (unquoted(ifMatch) !== present.etag) throw failed("If-Match")
}

/** Refuses a read whose conditions do not hold, with 304 or 412 as each of them has it. */
export const checkReadConditions = ({ headers }: S3Target, present: StoredObject): void => {
  const ifMatch = headers.get("if-match")
  const ifNoneMatch = headers.get("if-none-match")
  const modified = Math.floor(present.lastModified.getTime() / 1000)
  const modifiedSince = seconds(headers.get("if-modified-since"))
  const unmodifiedSince = seconds(headers.get("if-unmodified-since"))
  if (ifMatch !== undefined ? !matches(ifMatch, present) : unmodifiedSince < modified) {
    throw failed(ifMatch !== undefined ? "If-Match" : "If-Unmodified-Since")
  }
  if (ifNoneMatch !== undefined ? matches(ifNoneMatch, present) : modifiedSince >= modified) {
    throw new S3Error("NotModified", "Not Modified")
  }
}

/** An ETag without its quotes. */
export const unquoted = (etag: string): string => etag.trim().replace(/^"(.*)"$/, "$1")

const matches = (condition: string, { etag }: StoredObject): boolean =>
  condition.split(",").some((given) => given.trim() === "*" || unquoted(given) === etag)

const seconds = (date: string | undefined): number => Math.floor(Date.parse(date ?? "") / 1000)

const failed = (condition: string) =>
  new S3Error("PreconditionFailed", "At least one of the preconditions you specified did not hold.", {
    Condition: condition
  })
