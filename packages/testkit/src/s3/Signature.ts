import { createHash, createHmac } from "node:crypto"
import { S3Error } from "./S3Error.ts"
import { decoded, encoded, pairs, type S3Target } from "./S3Request.ts"

/** What a request has to be signed with. */
export interface SigningKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

/** What the signatures of a request's chunks go on from. */
export interface Signing {
  readonly timestamp: string
  readonly scope: string
  readonly key: Buffer
  /** The signature of the headers. */
  readonly seed: string
}

/** Verifies the signature (version 4) in a request's headers. Its payload is another matter: the headers only say its hash. */
export const verifySignature = (target: S3Target, keys: SigningKeys, now: Date): Signing => {
  const { credential, signature, signedHeaders } = authorizationOf(target)
  const [accessKeyId, date = "", region, service, end, ...more] = credential.split("/")
  if (service !== "s3" || end !== "aws4_request" || more.length > 0) {
    throw new S3Error("AuthorizationHeaderMalformed", "The credential's scope is not one of S3.")
  }
  if (region !== keys.region) {
    throw new S3Error("AuthorizationHeaderMalformed", `The region '${region}' is wrong; expecting '${keys.region}'.`, {
      Region: keys.region
    })
  }
  if (accessKeyId !== keys.accessKeyId) {
    throw new S3Error("InvalidAccessKeyId", "The access key id you provided does not exist in our records.")
  }
  const timestamp = target.headers.get("x-amz-date") ?? ""
  checkTime(timestamp, date, now)
  for (const name of ["host", ...[...target.headers.keys()].filter((header) => header.startsWith("x-amz-"))]) {
    if (!signedHeaders.includes(name)) {
      throw new S3Error("AccessDenied", "There were headers present in the request which were not signed.", {
        HeadersNotSigned: name
      })
    }
  }
  const payload = target.headers.get("x-amz-content-sha256")
  if (payload === undefined) {
    throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
  }
  const scope = `${date}/${region}/s3/aws4_request`
  const key = ["aws4_request", "s3", region, date].reduceRight<Buffer>(
    (made, part) => hmac(made, part),
    Buffer.from(`AWS4${keys.secretAccessKey}`)
  )
  const canonical = canonicalRequest(target, signedHeaders, payload)
  const wanted = signed(key, ["AWS4-HMAC-SHA256", timestamp, scope, sha256(canonical)])
  if (signature !== wanted) throw mismatch()
  return { timestamp, scope, key, seed: wanted }
}

/** The signature of a chunk of the payload, given that of what went before. */
export const chunkSignature = ({ key, scope, timestamp }: Signing, before: string, chunk: Uint8Array): string =>
  signed(key, ["AWS4-HMAC-SHA256-PAYLOAD", timestamp, scope, before, sha256(""), sha256(chunk)])

/** The signature of the trailers, as `name:value` lines. */
export const trailerSignature = ({ key, scope, timestamp }: Signing, before: string, trailers: string): string =>
  signed(key, ["AWS4-HMAC-SHA256-TRAILER", timestamp, scope, before, sha256(trailers)])

/** The refusal of a request, a chunk or trailers signed with another key, or changed on the way. */
export const mismatch = (): S3Error =>
  new S3Error("SignatureDoesNotMatch", "The signature we calculated does not match the signature you provided.")

export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex")

const hmac = (key: Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest()

const signed = (key: Buffer, lines: ReadonlyArray<string>): string => hmac(key, lines.join("\n")).toString("hex")

const authorizationOf = ({ headers, query }: S3Target) => {
  const header = headers.get("authorization")
  if (header === undefined) {
    if (query.has("X-Amz-Signature")) throw new S3Error("NotImplemented", "This server takes no presigned requests.")
    throw new S3Error("AccessDenied", "Access Denied")
  }
  const found = /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([\da-f]{64})$/.exec(
    header
  )
  if (found === null) throw new S3Error("AuthorizationHeaderMalformed", "The authorization header is malformed.")
  const [, credential = "", names = "", signature = ""] = found
  return { credential, signature, signedHeaders: names.split(";") }
}

/** A signature is good for a quarter of an hour, on the day of its scope. */
const checkTime = (timestamp: string, date: string, now: Date): void => {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(timestamp)
  if (parts === null) throw new S3Error("AccessDenied", "The request needs a valid x-amz-date.")
  if (!timestamp.startsWith(date)) {
    throw new S3Error("AuthorizationHeaderMalformed", "The credential's date is not the request's.")
  }
  const [, year, month, day, hours, minutes, seconds] = parts
  const sent = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`)
  if (!(Math.abs(now.getTime() - sent) <= 15 * 60_000)) {
    throw new S3Error(
      "RequestTimeTooSkewed",
      "The difference between the request time and the server's time is too large."
    )
  }
}

const canonicalRequest = (target: S3Target, signedHeaders: ReadonlyArray<string>, payload: string): string => {
  const query = pairs(target.rawQuery)
    .map(([name, value]) => [encoded(decoded(name)), encoded(decoded(value.replaceAll("+", " ")))] as const)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted(byCodeUnits)
  return [
    target.method,
    target.rawPath
      .split("/")
      .map((segment) => encoded(decoded(segment)))
      .join("/"),
    query.join("&"),
    ...signedHeaders.map((name) => `${name}:${(target.headers.get(name) ?? "").replace(/ +/g, " ")}`),
    "",
    signedHeaders.join(";"),
    payload
  ].join("\n")
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
