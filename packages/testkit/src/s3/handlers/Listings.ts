import { xmlAnswer } from "../answers.ts"
import { byBytes } from "../ObjectStore.ts"
import { S3Error } from "../S3Error.ts"
import { encoded, numberIn, type S3Handler, type S3Request } from "../S3Request.ts"

/** Answers ListObjectsV2: keys in the order of their bytes, those with the delimiter behind the prefix as one. */
export const listObjectsV2: S3Handler = (request, store) => {
  const { bucket, query } = request
  const { objects } = store.bucket(bucket)
  const prefix = query.get("prefix") ?? ""
  const delimiter = query.get("delimiter") ?? ""
  const startAfter = query.get("start-after")
  const token = query.get("continuation-token")
  const most = numberIn(request, "max-keys", { least: 0, most: 1000, otherwise: 1000 })
  const after = token === undefined ? (startAfter ?? "") : afterOf(token)
  const name = writeKey(request)
  const entries = new Map<string, boolean>()
  let isTruncated = false
  for (const key of [...objects.keys()].toSorted(byBytes)) {
    if (!key.startsWith(prefix)) continue
    const group = groupOf(key, prefix, delimiter)
    // A page behind a group goes on behind all its keys.
    if (byBytes(key, after) <= 0 || group === after) continue
    const entry = group ?? key
    if (entries.has(entry)) continue
    if (entries.size === most) {
      isTruncated = most > 0
      break
    }
    entries.set(entry, group !== undefined)
  }
  const listed = [...entries]
  return xmlAnswer("ListBucketResult", {
    Name: bucket,
    Prefix: name(prefix),
    Delimiter: delimiter === "" ? undefined : name(delimiter),
    StartAfter: startAfter === undefined ? undefined : name(startAfter),
    ContinuationToken: token,
    EncodingType: query.get("encoding-type"),
    MaxKeys: most,
    KeyCount: entries.size,
    IsTruncated: isTruncated,
    NextContinuationToken: isTruncated ? tokenAfter(listed.at(-1)![0]) : undefined,
    Contents: listed
      .filter(([, isGroup]) => !isGroup)
      .map(([key]) => {
        const { body, checksum, etag, lastModified } = objects.get(key)!
        return {
          Key: name(key),
          LastModified: lastModified.toISOString(),
          ETag: `"${etag}"`,
          ChecksumAlgorithm: checksum?.algorithm,
          ChecksumType: checksum?.type,
          Size: body.length,
          StorageClass: "STANDARD",
          Owner: query.get("fetch-owner") === "true" ? { ID: "testkit" } : undefined
        }
      }),
    CommonPrefixes: listed.filter(([, isGroup]) => isGroup).map(([group]) => ({ Prefix: name(group) }))
  })
}

/** Answers ListMultipartUploads, by key and then by the time an upload was begun. */
export const listMultipartUploads: S3Handler = (request, store) => {
  const { bucket, query } = request
  const prefix = query.get("prefix") ?? ""
  const keyMarker = query.get("key-marker")
  const idMarker = query.get("upload-id-marker")
  const most = numberIn(request, "max-uploads", { least: 1, most: 1000, otherwise: 1000 })
  const name = writeKey(request)
  // A Map keeps the order of insertion, and sorting is stable.
  const uploads = [...store.bucket(bucket).uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .toSorted((a, b) => byBytes(a.key, b.key))
  const marked = uploads.findIndex(({ id, key }) => key === keyMarker && id === idMarker)
  const rest =
    marked === -1 ? uploads.filter(({ key }) => byBytes(key, keyMarker ?? "") > 0) : uploads.slice(marked + 1)
  const page = rest.slice(0, most)
  const isTruncated = page.length < rest.length
  return xmlAnswer("ListMultipartUploadsResult", {
    Bucket: bucket,
    Prefix: name(prefix),
    KeyMarker: keyMarker === undefined ? undefined : name(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: isTruncated ? name(page.at(-1)!.key) : undefined,
    NextUploadIdMarker: isTruncated ? page.at(-1)!.id : undefined,
    EncodingType: query.get("encoding-type"),
    MaxUploads: most,
    IsTruncated: isTruncated,
    Upload: page.map(({ algorithm, id, initiated, key, type }) => ({
      Key: name(key),
      UploadId: id,
      Initiated: initiated.toISOString(),
      StorageClass: "STANDARD",
      ChecksumAlgorithm: algorithm,
      ChecksumType: algorithm === undefined ? undefined : type
    }))
  })
}

/** How keys are written in a list: as they are, or percent-encoded if asked for, for those that XML cannot hold. */
const writeKey = ({ query }: S3Request): ((key: string) => string) => {
  const encoding = query.get("encoding-type")
  if (encoding === undefined) return (key) => key
  if (encoding !== "url") throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
  return (key) => key.split("/").map(encoded).join("/")
}

/** The beginning a key is listed under together with others, if it is. */
const groupOf = (key: string, prefix: string, delimiter: string): string | undefined => {
  const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length)
  return end === -1 ? undefined : key.slice(0, end + delimiter.length)
}

const tokenAfter = (entry: string): string => Buffer.from(`after ${entry}`).toString("base64")

const afterOf = (token: string): string => {
  const [, entry] = /^after ([\s\S]*)$/.exec(Buffer.from(token, "base64").toString("utf8")) ?? []
  if (entry === undefined) throw new S3Error("InvalidArgument", "The continuation token provided is incorrect.")
  return entry
}
