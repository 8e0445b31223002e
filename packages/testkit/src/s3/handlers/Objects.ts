import { checksumHeaders, emptyAnswer, readHeaders, storedHeaders, writtenHeaders, xmlAnswer } from "../answers.ts"
import { type Checksum, givenChecksum } from "../Checksums.ts"
import { checkReadConditions, checkWriteConditions } from "../conditions.ts"
import { etagOf, type StoredObject } from "../ObjectStore.ts"
import { S3Error } from "../S3Error.ts"
import { decoded, type S3Handler, type S3Request } from "../S3Request.ts"
import { childText, parseXml } from "../Xml.ts"

/** Answers PutObject. */
export const putObject: S3Handler = (request, store) => {
  const { body, bucket, key } = request
  const { objects } = store.bucket(bucket)
  checkKey(key)
  checkWriteConditions(request, objects.get(key))
  const checksum = fullChecksum(givenChecksum(new Map([...request.headers, ...request.trailers])))
  const object = { body, etag: etagOf(body), lastModified: new Date(), headers: storedHeaders(request), checksum }
  objects.set(key, object)
  return emptyAnswer(200, writtenHeaders(object.etag, checksum))
}

/** Answers CopyObject. The copy keeps the checksum of what it was made of. */
export const copyObject: S3Handler = (request, store) => {
  const { bucket, headers, key } = request
  checkKey(key)
  const source = decoded(headers.get("x-amz-copy-source") ?? "").replace(/^\//, "")
  const slash = source.indexOf("/")
  if (slash < 1) throw new S3Error("InvalidArgument", "Copy Source must mention the source bucket and key.")
  const directive = headers.get("x-amz-metadata-directive") ?? "COPY"
  if (directive !== "COPY" && directive !== "REPLACE")
    throw new S3Error("InvalidArgument", "Unknown metadata directive.")
  if (source === `${bucket}/${key}` && directive === "COPY") {
    throw new S3Error("InvalidRequest", "This copy request is illegal: it copies an object to itself as it is.")
  }
  const original = store.object(source.slice(0, slash), source.slice(slash + 1))
  const { objects } = store.bucket(bucket)
  checkWriteConditions(request, objects.get(key))
  const { body, checksum } = original
  const copy: StoredObject = {
    body,
    etag: etagOf(body),
    lastModified: new Date(),
    headers: directive === "COPY" ? original.headers : storedHeaders(request),
    checksum
  }
  objects.set(key, copy)
  return xmlAnswer("CopyObjectResult", { ETag: `"${copy.etag}"`, LastModified: copy.lastModified.toISOString() })
}

/**
 * Answers GetObject and HeadObject, whose body is dropped when it is sent. A range comes without the checksum, which is one of
 * the whole object.
 */
export const getObject: S3Handler = (request, store) => {
  const object = store.object(request.bucket, request.key)
  checkReadConditions(request, object)
  const range = rangeOf(request.headers.get("range"), object.body.length)
  if (range === undefined) {
    return { status: 200, headers: { ...readHeaders(object), ...askedChecksum(request, object) }, body: object.body }
  }
  const [first, last] = range
  return {
    status: 206,
    headers: { ...readHeaders(object), "content-range": `bytes ${first}-${last}/${object.body.length}` },
    body: object.body.subarray(first, last + 1)
  }
}

/** Answers DeleteObject, which succeeds for a key that is not there. */
export const deleteObject: S3Handler = ({ bucket, key }, store) => {
  store.bucket(bucket).objects.delete(key)
  return emptyAnswer(204)
}

/** Answers DeleteObjects. */
export const deleteObjects: S3Handler = (request, store) => {
  const { objects } = store.bucket(request.bucket)
  const integrity = givenChecksum(new Map([...request.headers, ...request.trailers]))
  if (integrity === undefined && !request.headers.has("content-md5")) {
    throw new S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
  }
  const root = parseXml(request.body.toString("utf8"))
  const keys = (root?.children ?? []).filter(({ name }) => name === "Object").map((entry) => childText(entry, "Key"))
  if (root?.name !== "Delete" || keys.length === 0 || keys.length > mostDeleted) throw malformed()
  const deleted = keys.map((key) => {
    if (key === undefined || key === "") throw malformed()
    return key
  })
  for (const key of deleted) objects.delete(key)
  return xmlAnswer("DeleteResult", {
    Deleted: childText(root, "Quiet") === "true" ? undefined : deleted.map((key) => ({ Key: key }))
  })
}

/** Refuses keys that are too long. */
export const checkKey = (key: string): void => {
  if (Buffer.byteLength(key) > 1024) throw new S3Error("KeyTooLongError", "Your key is too long.")
}

/** The checksum of an object that was written in one piece. */
const fullChecksum = (checksum: Checksum | undefined): StoredObject["checksum"] =>
  checksum === undefined ? undefined : { ...checksum, type: "FULL_OBJECT" }

const mostDeleted = 1000

const malformed = () => new S3Error("MalformedXML", "The XML you provided was not well-formed or has too many keys.")

const askedChecksum = ({ headers }: S3Request, { checksum }: StoredObject) =>
  headers.get("x-amz-checksum-mode") === "ENABLED" ? checksumHeaders(checksum) : {}

/** The bytes asked for, both ends included; nothing where the header is none that S3 reads, which then answers the whole. */
const rangeOf = (header: string | undefined, size: number): readonly [first: number, last: number] | undefined => {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? "")
  const [, from = "", to = ""] = found ?? []
  if (found === null || (from === "" && to === "")) return undefined
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1)
  if (first >= size || (from === "" && Number(to) === 0)) {
    throw new S3Error("InvalidRange", "The requested range is not satisfiable.", { ActualObjectSize: size })
  }
  return [first, last]
}
