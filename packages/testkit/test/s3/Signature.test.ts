import { assert, describe, it } from "@effect/vitest"
import { verifyPayload } from "../../src/s3/payload.ts"
import { S3Error } from "../../src/s3/S3Error.ts"
import type { S3Target } from "../../src/s3/S3Request.ts"
import { verifySignature } from "../../src/s3/Signature.ts"

// The examples of Amazon's manual: "Authenticating Requests (AWS Signature Version 4)".
const keys = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1"
}
const now = new Date("2013-05-24T00:10:00Z")
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const signedBy = (names: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${signature}`

const target = (given: {
  readonly method: string
  readonly path: string
  readonly query?: string
  readonly headers: Readonly<Record<string, string>>
}): S3Target => ({
  method: given.method,
  bucket: "examplebucket",
  key: given.path.slice(1),
  rawPath: given.path,
  rawQuery: given.query ?? "",
  query: new Map(),
  headers: new Map(Object.entries({ "x-amz-date": "20130524T000000Z", ...given.headers }))
})

const host = "examplebucket.s3.amazonaws.com"

const get = target({
  method: "GET",
  path: "/test.txt",
  headers: {
    host,
    range: "bytes=0-9",
    "x-amz-content-sha256": empty,
    authorization: signedBy(
      "host;range;x-amz-content-sha256;x-amz-date",
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
  }
})

const withHeaders = (of: S3Target, headers: Readonly<Record<string, string>>): S3Target => ({
  ...of,
  headers: new Map([...of.headers, ...Object.entries(headers)])
})

const refusal = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return error instanceof S3Error ? error.code : String(error)
  }
  return "accepted"
}

describe("Signature", () => {
  it("is verified: path, query and headers", () => {
    assert.doesNotThrow(() => verifySignature(get, keys, now))
    const names = "host;x-amz-content-sha256;x-amz-date"
    const headers = { host, "x-amz-content-sha256": empty }
    const lifecycle = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    const list = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    for (const [query, signature] of [
      ["lifecycle", lifecycle],
      ["prefix=J&max-keys=2", list]
    ] as const) {
      const authorization = signedBy(names, signature)
      const asked = target({ method: "GET", path: "/", query, headers: { ...headers, authorization } })
      assert.doesNotThrow(() => verifySignature(asked, keys, now))
      assert.strictEqual(
        refusal(() => verifySignature({ ...asked, rawQuery: `${query}&x=1` }, keys, now)),
        "SignatureDoesNotMatch"
      )
    }
  })

  it("is refused where anything else was signed, or is not", () => {
    const cases: ReadonlyArray<readonly [string, S3Target]> = [
      ["SignatureDoesNotMatch", { ...get, rawPath: "/other.txt" }],
      ["SignatureDoesNotMatch", { ...get, method: "DELETE" }],
      ["SignatureDoesNotMatch", withHeaders(get, { range: "bytes=0-10" })],
      ["AccessDenied", withHeaders(get, { "x-amz-meta-job": "j1" })],
      ["AccessDenied", { ...get, headers: new Map([...get.headers].filter(([name]) => name !== "authorization")) }],
      ["AuthorizationHeaderMalformed", withHeaders(get, { authorization: "Basic dGVzdDp0ZXN0" })],
      ["AuthorizationHeaderMalformed", withHeaders(get, { "x-amz-date": "20130525T000000Z" })],
      ["NotImplemented", { ...get, query: new Map([["X-Amz-Signature", ""]]), headers: new Map() }]
    ]
    for (const [code, asked] of cases)
      assert.strictEqual(
        refusal(() => verifySignature(asked, keys, now)),
        code
      )
    const other = { ...keys, region: "eu-west-1" }
    assert.strictEqual(
      refusal(() => verifySignature(get, other, now)),
      "AuthorizationHeaderMalformed"
    )
    const nobody = { ...keys, accessKeyId: "AKIDNOBODY" }
    assert.strictEqual(
      refusal(() => verifySignature(get, nobody, now)),
      "InvalidAccessKeyId"
    )
    const late = new Date("2013-05-24T00:16:00Z")
    assert.strictEqual(
      refusal(() => verifySignature(get, keys, late)),
      "RequestTimeTooSkewed"
    )
  })
})

const chunk = (bytes: Buffer, signature?: string) =>
  Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}${signature === undefined ? "" : `;chunk-signature=${signature}`}\r\n`),
    bytes,
    Buffer.from(bytes.length === 0 ? "" : "\r\n")
  ])

const first = Buffer.alloc(65_536, "a")
const second = Buffer.alloc(1024, "a")
const whole = Buffer.concat([first, second])

const chunked = (signature: string, payload: string, more: Readonly<Record<string, string>>, names: string) =>
  target({
    method: "PUT",
    path: "/examplebucket/chunkObject.txt",
    headers: {
      host: "s3.amazonaws.com",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": payload,
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "66560",
      ...more,
      authorization: signedBy(names, signature)
    }
  })

const put = chunked(
  "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  { "content-length": "66824" },
  "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
)

const chunks = [
  chunk(first, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
  chunk(second, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
  chunk(Buffer.alloc(0), "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
  Buffer.from("\r\n")
] as const

const trailed = chunked(
  "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  { "x-amz-trailer": "x-amz-checksum-crc32c" },
  "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer"
)

const trailedChunks = (crc32c: string, signature: string) => [
  chunk(first, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
  chunk(second, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
  chunk(Buffer.alloc(0), "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
  Buffer.from(`x-amz-checksum-crc32c:${crc32c}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`)
]

const trailerSignature = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"

const unframed = (asked: S3Target, parts: ReadonlyArray<Buffer>) =>
  verifyPayload(asked, Buffer.concat(parts), verifySignature(asked, keys, now))

describe("a payload in chunks", () => {
  it("is verified chunk after chunk", () => {
    assert.isTrue(unframed(put, chunks).body.equals(whole))
  })

  it("is verified with its trailers", () => {
    const { body, trailers } = unframed(trailed, trailedChunks("sOO8/Q==", trailerSignature))
    assert.isTrue(body.equals(whole))
    assert.deepStrictEqual([...trailers], [["x-amz-checksum-crc32c", "sOO8/Q=="]])
  })

  it("is refused where a chunk or a trailer is another, missing or too much", () => {
    const [a, b, end, blank] = chunks
    const changed = Buffer.from(a)
    changed[200] = 0x62
    const cases: ReadonlyArray<readonly [string, S3Target, ReadonlyArray<Buffer>]> = [
      ["SignatureDoesNotMatch", put, [changed, b, end, blank]],
      ["SignatureDoesNotMatch", put, [b, a, end, blank]],
      ["SignatureDoesNotMatch", put, [a, end, blank]],
      ["IncompleteBody", put, [a, b]],
      ["IncompleteBody", put, [a.subarray(0, 1000)]],
      ["MalformedTrailerError", put, [a, b, end, Buffer.from("x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n")]],
      ["SignatureDoesNotMatch", trailed, trailedChunks("AAAAAA==", trailerSignature)],
      ["MalformedTrailerError", trailed, trailedChunks("sOO8/Q==", trailerSignature).toSpliced(3, 1, blank)]
    ]
    for (const [code, asked, parts] of cases)
      assert.strictEqual(
        refusal(() => unframed(asked, parts)),
        code
      )
  })
})

describe("a payload without signatures of its own", () => {
  const signing = verifySignature(get, keys, now)
  const unsigned = (decoded: number, more: Readonly<Record<string, string>> = {}) =>
    target({
      method: "PUT",
      path: "/b/k",
      headers: {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": String(decoded),
        "x-amz-trailer": "x-amz-checksum-crc32c",
        ...more
      }
    })
  const trailer = (crc32c: string) => Buffer.from(`x-amz-checksum-crc32c:${crc32c}\r\n\r\n`)
  const end = chunk(Buffer.alloc(0))

  it("is held against its checksum, its length and the size of its chunks", () => {
    const read = (decoded: number, ...parts: ReadonlyArray<Buffer>) =>
      refusal(() => verifyPayload(unsigned(decoded), Buffer.concat(parts), signing))
    assert.strictEqual(read(66_560, chunk(first), chunk(second), end, trailer("sOO8/Q==")), "accepted")
    assert.strictEqual(read(66_560, chunk(first), chunk(second), end, trailer("AAAAAA==")), "BadDigest")
    assert.strictEqual(read(66_560, chunk(first), chunk(second), end, trailer("AAAA")), "InvalidRequest")
    assert.strictEqual(read(66_561, chunk(first), chunk(second), end, trailer("sOO8/Q==")), "IncompleteBody")
    assert.strictEqual(read(66_560, chunk(second), chunk(first), end, trailer("sOO8/Q==")), "InvalidChunkSizeError")
    assert.strictEqual(read(66_560, chunk(first), chunk(second), end), "IncompleteBody")
  })

  it("is held against its hash, its MD5 and one checksum at most", () => {
    const plain = (headers: Readonly<Record<string, string>>) =>
      refusal(() =>
        verifyPayload(
          target({ method: "PUT", path: "/b/k", headers: { "content-length": "5", ...headers } }),
          Buffer.from("hello"),
          signing
        )
      )
    const hash = { "x-amz-content-sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" }
    const free = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }
    const crc32 = { "x-amz-checksum-crc32": "NhCmhg==" }
    assert.strictEqual(plain({ ...hash, ...crc32, "content-md5": "XUFAKrxLKna5cZ2REBfFkg==" }), "accepted")
    assert.strictEqual(plain({ ...free, ...crc32 }), "accepted")
    assert.strictEqual(plain({ "x-amz-content-sha256": empty }), "XAmzContentSHA256Mismatch")
    assert.strictEqual(plain({ ...free, "content-md5": "XUFAKrxLKna5cZ2REBfFkQ==" }), "BadDigest")
    assert.strictEqual(plain({ ...free, "content-md5": "XUFA" }), "InvalidDigest")
    assert.strictEqual(plain({ ...free, "x-amz-checksum-crc32": "AAAAAA==" }), "BadDigest")
    assert.strictEqual(plain({ ...free, ...crc32, "x-amz-checksum-crc32c": "mnG7TA==" }), "InvalidRequest")
    assert.strictEqual(plain({ ...free, "transfer-encoding": "chunked" }), "NotImplemented")
  })
})
