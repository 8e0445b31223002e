import { S3Error } from "./S3Error.ts"
import type { S3Target } from "./S3Request.ts"

/** What an operation lets a request say. Anything else is refused, since to pass over it would be to do something else. */
interface Allowed {
  readonly query?: ReadonlyArray<string>
  readonly conditions?: ReadonlyArray<string>
  readonly headers?: ReadonlyArray<string>
}

const writeConditions = ["if-match", "if-none-match"]
const readConditions = [...writeConditions, "if-modified-since", "if-unmodified-since"]
const storage = [
  "x-amz-storage-class",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-bucket-key-enabled"
]

/** The operations the server has, by the names of the S3 API. */
const operations = {
  ListBuckets: {},
  CreateBucket: { query: [] },
  HeadBucket: {},
  DeleteBucket: {},
  GetBucketLocation: { query: ["location"] },
  ListObjectsV2: {
    query: [
      "list-type",
      "prefix",
      "delimiter",
      "start-after",
      "continuation-token",
      "max-keys",
      "encoding-type",
      "fetch-owner"
    ]
  },
  ListMultipartUploads: {
    query: ["uploads", "prefix", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"]
  },
  DeleteObjects: { query: ["delete"] },
  PutObject: { conditions: writeConditions, headers: storage },
  CopyObject: {
    conditions: writeConditions,
    headers: [...storage, "x-amz-copy-source", "x-amz-metadata-directive"]
  },
  GetObject: { conditions: readConditions, headers: ["x-amz-checksum-mode"] },
  HeadObject: { conditions: readConditions, headers: ["x-amz-checksum-mode"] },
  DeleteObject: {},
  CreateMultipartUpload: {
    query: ["uploads"],
    headers: [...storage, "x-amz-checksum-algorithm", "x-amz-checksum-type"]
  },
  UploadPart: { query: ["partNumber", "uploadId"] },
  ListParts: { query: ["uploadId", "max-parts", "part-number-marker"] },
  CompleteMultipartUpload: {
    query: ["uploadId"],
    conditions: writeConditions,
    headers: ["x-amz-checksum-type", "x-amz-mp-object-size"]
  },
  AbortMultipartUpload: { query: ["uploadId"] }
} as const satisfies Record<string, Allowed>

/** The name of an operation. */
export type S3Operation = keyof typeof operations

/** Headers any request may have. */
const general = new Set([
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-user-agent",
  "x-amz-decoded-content-length",
  "x-amz-trailer",
  "x-amz-sdk-checksum-algorithm"
])

/** The operation a request asks for, or nothing where the server does not have it. */
export const operationOf = ({ bucket, headers, key, method, query }: S3Target): S3Operation | undefined => {
  if (bucket === "") return method === "GET" ? "ListBuckets" : undefined
  if (key === "") {
    if (method === "GET" && query.has("uploads")) return "ListMultipartUploads"
    if (method === "GET" && query.has("location")) return "GetBucketLocation"
    if (method === "GET" && query.get("list-type") === "2") return "ListObjectsV2"
    if (method === "POST" && query.has("delete")) return "DeleteObjects"
    return method === "PUT" || method === "HEAD" || method === "DELETE" ? onBucket[method] : undefined
  }
  if (query.has("uploadId")) {
    if (method === "PUT") return headers.has("x-amz-copy-source") ? undefined : "UploadPart"
    return method === "GET" || method === "POST" || method === "DELETE" ? onUpload[method] : undefined
  }
  if (method === "POST") return query.has("uploads") ? "CreateMultipartUpload" : undefined
  if (method === "PUT") return headers.has("x-amz-copy-source") ? "CopyObject" : "PutObject"
  return method === "GET" || method === "HEAD" || method === "DELETE" ? onObject[method] : undefined
}

const onBucket = { PUT: "CreateBucket", HEAD: "HeadBucket", DELETE: "DeleteBucket" } as const
const onUpload = { GET: "ListParts", POST: "CompleteMultipartUpload", DELETE: "AbortMultipartUpload" } as const
const onObject = { GET: "GetObject", HEAD: "HeadObject", DELETE: "DeleteObject" } as const

/** Refuses what the server would have to pass over: sub-resources, conditions and headers it does not know. */
export const checkAllowed = (operation: S3Operation, { headers, query }: S3Target): void => {
  const allowed: Allowed = operations[operation]
  for (const name of query.keys()) {
    if (name !== "x-id" && !allowed.query?.includes(name)) throw notImplemented(operation, `the parameter ${name}`)
  }
  for (const name of headers.keys()) {
    const isKnown =
      (!name.startsWith("x-amz-") && !name.startsWith("if-")) ||
      general.has(name) ||
      name.startsWith("x-amz-meta-") ||
      (name.startsWith("x-amz-checksum-") && !settings.has(name)) ||
      allowed.headers?.includes(name) ||
      allowed.conditions?.includes(name)
    if (!isKnown) throw notImplemented(operation, `the header ${name}`)
  }
}

/** Headers of a checksum's name that are none: only some operations take them. */
const settings = new Set(["x-amz-checksum-mode", "x-amz-checksum-algorithm", "x-amz-checksum-type"])

const notImplemented = (operation: S3Operation, what: string) =>
  new S3Error("NotImplemented", `This server's ${operation} does not have ${what}.`)
