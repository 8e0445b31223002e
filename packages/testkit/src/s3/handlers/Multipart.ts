import { checksumHeaders, emptyAnswer, storedHeaders, writtenHeaders, xmlAnswer } from "../answers.ts"
import { algorithmNamed, type Checksum, checksumElement, checksumOf, givenChecksum } from "../Checksums.ts"
import { checkWriteConditions, unquoted } from "../conditions.ts"
import { type ChecksumType, etagOf, type StoredPart, type StoredUpload } from "../ObjectStore.ts"
import { S3Error } from "../S3Error.ts"
import { numberIn, type S3Handler, type S3Request } from "../S3Request.ts"
import { childText, parseXml, type XmlElement } from "../Xml.ts"
import { checkKey } from "./Objects.ts"

/** Parts but the last have at least so many bytes. */
const leastPart = 5 * 1024 * 1024

const mostParts = 10_000

/** Answers CreateMultipartUpload. */
export const createMultipartUpload: S3Handler = (request, store) => {
  const { bucket, headers, key } = request
  const { uploads } = store.bucket(bucket)
  checkKey(key)
  const named = headers.get("x-amz-checksum-algorithm")
  const algorithm = named === undefined ? undefined : algorithmNamed(named)
  const type = checksumTypeOf(request) ?? "COMPOSITE"
  if (type === "FULL_OBJECT" && (algorithm === undefined || algorithm.startsWith("SHA"))) {
    throw new S3Error(
      "InvalidRequest",
      `The FULL_OBJECT checksum type cannot be used with ${algorithm ?? "no algorithm"}.`
    )
  }
  const id = store.nextUploadId()
  uploads.set(id, {
    id,
    key,
    headers: storedHeaders(request),
    initiated: new Date(),
    algorithm,
    type,
    parts: new Map()
  })
  return xmlAnswer(
    "InitiateMultipartUploadResult",
    { Bucket: bucket, Key: key, UploadId: id },
    algorithm === undefined ? {} : { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type }
  )
}

/** Answers UploadPart. A part of the same number takes the place of the one before. */
export const uploadPart: S3Handler = (request, store) => {
  const upload = uploadOf(request, store)
  const number = Number(request.query.get("partNumber"))
  if (!Number.isInteger(number) || number < 1 || number > mostParts) {
    throw new S3Error("InvalidArgument", `Part number must be an integer between 1 and ${mostParts}, inclusive.`)
  }
  const checksum = givenChecksum(new Map([...request.headers, ...request.trailers]))
  if (upload.algorithm !== undefined && checksum !== undefined && checksum.algorithm !== upload.algorithm) {
    throw new S3Error(
      "InvalidRequest",
      `Checksum Type mismatch occurred, expected ${upload.algorithm}, actual ${checksum.algorithm}.`
    )
  }
  const { body } = request
  const own = upload.algorithm === undefined ? undefined : checksumOf(upload.algorithm, body)
  const part = { number, body, etag: etagOf(body), lastModified: new Date(), checksum: checksum ?? own }
  upload.parts.set(number, part)
  return emptyAnswer(200, writtenHeaders(part.etag, part.checksum))
}

/** Answers CompleteMultipartUpload. A second time there is no such upload any more. */
export const completeMultipartUpload: S3Handler = (request, store) => {
  const upload = uploadOf(request, store)
  const { objects, uploads } = store.bucket(request.bucket)
  const parts = listedParts(request, upload)
  const body = Buffer.concat(parts.map((part) => part.body))
  const size = request.headers.get("x-amz-mp-object-size")
  if (size !== undefined && Number(size) !== body.length) {
    throw new S3Error("InvalidRequest", "The provided x-amz-mp-object-size does not match what was uploaded.")
  }
  const checksum = completedChecksum(request, upload, parts, body)
  checkWriteConditions(request, objects.get(upload.key))
  const digests = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, "hex")))
  const etag = `${etagOf(digests)}-${parts.length}`
  objects.set(upload.key, { body, etag, lastModified: new Date(), headers: upload.headers, checksum })
  uploads.delete(upload.id)
  return xmlAnswer("CompleteMultipartUploadResult", {
    Location: `/${request.bucket}/${upload.key}`,
    Bucket: request.bucket,
    Key: upload.key,
    ETag: `"${etag}"`,
    ...(checksum === undefined
      ? {}
      : { [checksumElement(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type })
  })
}

/** Answers AbortMultipartUpload. */
export const abortMultipartUpload: S3Handler = (request, store) => {
  const { id } = uploadOf(request, store)
  store.bucket(request.bucket).uploads.delete(id)
  return emptyAnswer(204)
}

/** Answers ListParts. */
export const listParts: S3Handler = (request, store) => {
  const upload = uploadOf(request, store)
  const most = numberIn(request, "max-parts", { least: 0, most: 1000, otherwise: 1000 })
  const after = numberIn(request, "part-number-marker", { least: 0, most: mostParts, otherwise: 0 })
  const rest = [...upload.parts.values()].filter(({ number }) => number > after).toSorted((a, b) => a.number - b.number)
  const page = rest.slice(0, most)
  return xmlAnswer("ListPartsResult", {
    Bucket: request.bucket,
    Key: upload.key,
    UploadId: upload.id,
    PartNumberMarker: after,
    NextPartNumberMarker: page.at(-1)?.number,
    MaxParts: most,
    IsTruncated: page.length < rest.length,
    ChecksumAlgorithm: upload.algorithm,
    ChecksumType: upload.algorithm === undefined ? undefined : upload.type,
    Part: page.map(({ body, checksum, etag, lastModified, number }) => ({
      PartNumber: number,
      LastModified: lastModified.toISOString(),
      ETag: `"${etag}"`,
      Size: body.length,
      ...(checksum === undefined ? {} : { [checksumElement(checksum.algorithm)]: checksum.value })
    }))
  })
}

const uploadOf = ({ bucket, key, query }: S3Request, store: Parameters<S3Handler>[1]): StoredUpload =>
  store.upload(bucket, key, query.get("uploadId") ?? "")

const checksumTypeOf = ({ headers }: S3Request): ChecksumType | undefined => {
  const type = headers.get("x-amz-checksum-type")
  if (type === undefined || type === "FULL_OBJECT" || type === "COMPOSITE") return type
  throw new S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
}

/** The parts a request to complete lists, in its order, which has to be theirs. */
const listedParts = ({ body }: S3Request, upload: StoredUpload): ReadonlyArray<StoredPart> => {
  const root = parseXml(body.toString("utf8"))
  const entries = (root?.children ?? []).filter(({ name }) => name === "Part")
  if (root?.name !== "CompleteMultipartUpload" || entries.length === 0 || entries.length > mostParts) {
    throw new S3Error("MalformedXML", "The XML you provided was not well-formed or lists no parts.")
  }
  const parts = entries.map((entry) => listedPart(entry, upload))
  for (const [i, part] of parts.entries()) {
    const before = parts[i - 1]
    if (before === undefined) continue
    if (before.number >= part.number) {
      throw new S3Error("InvalidPartOrder", "The list of parts was not in ascending order.")
    }
    if (before.body.length < leastPart) {
      throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.", {
        ProposedSize: before.body.length,
        MinSizeAllowed: leastPart,
        PartNumber: before.number
      })
    }
  }
  return parts
}

const listedPart = (entry: XmlElement, upload: StoredUpload): StoredPart => {
  const number = Number(childText(entry, "PartNumber"))
  const part = upload.parts.get(number)
  if (part === undefined || unquoted(childText(entry, "ETag") ?? "") !== part.etag) throw invalidPart(number)
  const { checksum } = part
  const given = checksum === undefined ? undefined : childText(entry, checksumElement(checksum.algorithm))
  if (given !== undefined && given !== checksum?.value) throw invalidPart(number)
  if (given === undefined && upload.algorithm !== undefined && upload.type === "COMPOSITE") {
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using a ${upload.algorithm} checksum. The complete request must include the checksum for ` +
        `each part. It was missing for part ${number} in the request.`
    )
  }
  return part
}

const invalidPart = (number: number) =>
  new S3Error("InvalidPart", "One or more of the specified parts could not be found, or has another ETag.", {
    PartNumber: number
  })

/** The checksum of a completed object, compared with the one in its request. */
const completedChecksum = (
  request: S3Request,
  { algorithm, type }: StoredUpload,
  parts: ReadonlyArray<StoredPart>,
  body: Buffer
): (Checksum & { readonly type: ChecksumType }) | undefined => {
  const wantedType = checksumTypeOf(request)
  const wanted = [...request.headers].find(([name]) => /^x-amz-checksum-(?!type$)/.test(name))
  if (algorithm === undefined) {
    if (wanted !== undefined || wantedType !== undefined) {
      throw new S3Error("InvalidRequest", "The upload was created without a checksum.")
    }
    return undefined
  }
  if (wantedType !== undefined && wantedType !== type) {
    throw new S3Error("InvalidRequest", `The upload was created using the ${type} checksum mode.`)
  }
  const checksum =
    type === "FULL_OBJECT"
      ? checksumOf(algorithm, body)
      : composite(
          algorithm,
          parts.map((part) => part.checksum!.value)
        )
  const [name, value] = wanted ?? []
  if (name !== undefined && checksumHeaders(checksum)[name] !== value) {
    throw new S3Error("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`)
  }
  return { ...checksum, type }
}

const composite = (algorithm: Checksum["algorithm"], values: ReadonlyArray<string>): Checksum => ({
  algorithm,
  value: `${checksumOf(algorithm, Buffer.concat(values.map((value) => Buffer.from(value, "base64")))).value}-${values.length}`
})
