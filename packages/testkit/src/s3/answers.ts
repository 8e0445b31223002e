import { type Checksum, checksumHeader } from "./Checksums.ts"
import type { ChecksumType, StoredObject } from "./ObjectStore.ts"
import type { S3Answer } from "./S3Answer.ts"
import { S3Error } from "./S3Error.ts"
import type { S3Target } from "./S3Request.ts"
import { type XmlContent, xmlDocument } from "./Xml.ts"

/** A response without a body. */
export const emptyAnswer = (status = 200, headers: Readonly<Record<string, string>> = {}): S3Answer => ({
  status,
  headers,
  body: Buffer.alloc(0)
})

/** An answer in XML. */
export const xmlAnswer = (
  root: string,
  content: XmlContent,
  headers: Readonly<Record<string, string>> = {}
): S3Answer => ({
  status: 200,
  headers: { "content-type": "application/xml", ...headers },
  body: xmlDocument(root, content)
})

/** The headers a written object or part is answered with. */
export const writtenHeaders = (
  etag: string,
  checksum: (Checksum & { readonly type?: ChecksumType }) | undefined
): Readonly<Record<string, string>> => ({
  etag: `"${etag}"`,
  ...checksumHeaders(checksum)
})

/** A checksum as headers. */
export const checksumHeaders = (
  checksum: (Checksum & { readonly type?: ChecksumType }) | undefined
): Readonly<Record<string, string>> =>
  checksum === undefined
    ? {}
    : {
        [checksumHeader(checksum.algorithm)]: checksum.value,
        ...(checksum.type === undefined ? {} : { "x-amz-checksum-type": checksum.type })
      }

const kept = [
  "cache-control",
  "content-disposition",
  "content-language",
  "expires",
  "x-amz-storage-class",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-bucket-key-enabled"
]

const mostMetadata = 2048

/** What of a request's headers is stored with an object. `aws-chunked` is how it travelled, not how it is encoded. */
export const storedHeaders = ({ headers }: S3Target): ReadonlyMap<string, string> => {
  const metadata = [...headers].filter(([name]) => name.startsWith("x-amz-meta-"))
  const size = metadata.reduce((sum, [name, value]) => sum + name.length - "x-amz-meta-".length + value.length, 0)
  if (size > mostMetadata) throw new S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum size.")
  const encodings = (headers.get("content-encoding") ?? "")
    .split(",")
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== "" && encoding !== "aws-chunked")
  return new Map([
    ["content-type", headers.get("content-type") ?? "binary/octet-stream"],
    ...(encodings.length > 0 ? [["content-encoding", encodings.join(",")] as const] : []),
    ...[...headers].filter(([name]) => kept.includes(name)),
    ...metadata
  ])
}

/** The headers an object is read with. */
export const readHeaders = (object: StoredObject): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(object.headers),
  etag: `"${object.etag}"`,
  "last-modified": object.lastModified.toUTCString(),
  "accept-ranges": "bytes"
})
