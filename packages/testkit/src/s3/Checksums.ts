import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { S3Error } from "./S3Error.ts"

/** The checksum algorithms the server knows. CRC64NVME is not among them. */
export const algorithms = ["CRC32", "CRC32C", "SHA1", "SHA256"] as const

/** A checksum algorithm. */
export type ChecksumAlgorithm = (typeof algorithms)[number]

/** A checksum that goes with bytes, in base64. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  readonly value: string
}

/** The header and the XML element a checksum is in. */
export const checksumHeader = (algorithm: ChecksumAlgorithm): string => `x-amz-checksum-${algorithm.toLowerCase()}`
export const checksumElement = (algorithm: ChecksumAlgorithm): string => `Checksum${algorithm}`

/** The checksum of bytes. */
export const checksumOf = (algorithm: ChecksumAlgorithm, bytes: Uint8Array): Checksum => ({
  algorithm,
  value: checksumBytes(algorithm, bytes).toString("base64")
})

/** An algorithm by the name a request gives it. */
export const algorithmNamed = (name: string): ChecksumAlgorithm => {
  const known = algorithms.find((algorithm) => algorithm === name.toUpperCase())
  if (known !== undefined) return known
  if (name.toUpperCase() === "CRC64NVME") throw new S3Error("NotImplemented", "This server has no CRC64NVME.")
  throw new S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.")
}

/** The one checksum that headers or trailers announce, without its being checked. */
export const givenChecksum = (headers: ReadonlyMap<string, string>): Checksum | undefined => {
  const given = [...headers].filter(
    ([name]) => name.startsWith("x-amz-checksum-") && !settings.has(name.slice("x-amz-checksum-".length))
  )
  const [first] = given
  if (first === undefined) return undefined
  if (given.length > 1) {
    throw new S3Error("InvalidRequest", "Expecting a single x-amz-checksum- header.")
  }
  const algorithm = algorithmNamed(first[0].slice("x-amz-checksum-".length))
  const value = first[1]
  if (Buffer.from(value, "base64").toString("base64") !== value || !hasLength(algorithm, value)) {
    throw new S3Error("InvalidRequest", `Value for ${first[0]} header is invalid.`)
  }
  return { algorithm, value }
}

/** Refuses bytes whose checksum is not the given one. */
export const checkChecksum = ({ algorithm, value }: Checksum, bytes: Uint8Array): void => {
  if (checksumOf(algorithm, bytes).value !== value) {
    throw new S3Error("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`)
  }
}

/** Refuses bytes whose `Content-MD5` is another. */
export const checkContentMd5 = (given: string, bytes: Uint8Array): void => {
  const digest = Buffer.from(given, "base64")
  if (digest.length !== 16) throw new S3Error("InvalidDigest", "The Content-MD5 you specified is not valid.")
  if (!createHash("md5").update(bytes).digest().equals(digest)) {
    throw new S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.")
  }
}

/** Headers of that prefix which hold no checksum. */
const settings = new Set(["mode", "algorithm", "type"])

const lengths: Readonly<Record<ChecksumAlgorithm, number>> = { CRC32: 4, CRC32C: 4, SHA1: 20, SHA256: 32 }

const hasLength = (algorithm: ChecksumAlgorithm, value: string): boolean =>
  Buffer.from(value, "base64").length === lengths[algorithm]

const checksumBytes = (algorithm: ChecksumAlgorithm, bytes: Uint8Array): Buffer => {
  switch (algorithm) {
    case "CRC32":
      return bigEndian(crc32(bytes))
    case "CRC32C":
      return bigEndian(crc32c(bytes))
    case "SHA1":
      return createHash("sha1").update(bytes).digest()
    case "SHA256":
      return createHash("sha256").update(bytes).digest()
  }
}

const bigEndian = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const castagnoli = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1))
  return crc
})

const crc32c = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ castagnoli[(crc ^ byte) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}
