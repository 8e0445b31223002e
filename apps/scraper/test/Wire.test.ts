import { createServer } from "node:net"
import { Readable } from "node:stream"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import { readBody } from "../src/net/readBody.ts"
import { type Client, crawl, rowsOf, testScraper, testServer } from "./TestScraper.ts"
import { page, testSite } from "./TestSite.ts"

const limits = {
  status: 200,
  length: undefined,
  maxBytes: 1_000_000,
  beyondMax: "fail" as const,
  maxInflation: 200,
  minBytesPerSecond: 1,
  grow: async () => undefined
}

async function* inPieces(body: Uint8Array, size: number) {
  for (let at = 0; at < body.byteLength; at += size) yield body.subarray(at, at + size)
}

const unpacked = (body: Uint8Array, encoding: string, size = 7) =>
  readBody(Readable.from(inPieces(body, size)), { ...limits, encoding }).then((read) => Buffer.from(read).toString())

describe("a packed body", () => {
  it("is read as browsers do, however it is cut into pieces", () =>
    fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 40 }),
        async (text, size) => {
          const named = Buffer.from(gzipSync(text))
          named[3] = 8
          const withName = Buffer.concat([named.subarray(0, 10), Buffer.from("name\0"), named.subarray(10)])
          const cases: ReadonlyArray<readonly [string, Uint8Array]> = [
            ["gzip", gzipSync(text)],
            ["GZIP", gzipSync(text).subarray(0, -8)],
            ["x-gzip", gzipSync(text).subarray(0, -3)],
            ["gzip", withName],
            ["gzip", Buffer.concat([gzipSync(text), Buffer.from("junk")])],
            ["deflate", deflateSync(text)],
            ["deflate", deflateSync(text).subarray(0, -4)],
            ["deflate", deflateRawSync(text)],
            ["br", brotliCompressSync(text)],
            ["zstd", zstdCompressSync(text)],
            ["deflate, gzip", gzipSync(deflateRawSync(text))],
            ["identity", Buffer.from(text)],
            ["gzip, nobody-knows", Buffer.from(text)],
            ["utf-8", Buffer.from(text)]
          ]
          for (const [encoding, body] of cases) assert.strictEqual(await unpacked(body, encoding, size), text, encoding)
        }
      ),
      { numRuns: 40 }
    ))

  it("fails where it is damaged or cut off", async () => {
    const text = "some text that is packed ".repeat(50)
    for (const [encoding, body] of [
      ["gzip", gzipSync(text).subarray(0, 30)],
      ["gzip", Buffer.from(text)],
      ["deflate", deflateSync(text).subarray(0, 20)],
      ["gzip", Buffer.alloc(0)],
      ["gzip", Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0]), Buffer.alloc(100_000, "n")])]
    ] as const) {
      const error = await unpacked(body, encoding, 1000).then(
        () => "read",
        () => "failed"
      )
      assert.strictEqual(error, "failed", encoding)
    }
  })
})

/** A site of answers written as they are, on a connection each. */
const rawSite = (answers: Readonly<Record<string, string | Buffer>>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: (path: string) => string; readonly close: () => void }>((resume) => {
      const server = createServer((socket) => {
        socket.on("error", () => socket.destroy())
        socket.on("data", (chunk) => {
          const path = `${chunk}`.split(" ")[1] ?? ""
          socket.end(answers[path] ?? "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = address !== null && typeof address === "object" ? address.port : 0
        resume(Effect.succeed({ url: (path) => `http://127.0.0.1:${port}${path}`, close: () => server.close() }))
      })
    }),
    (site) => Effect.sync(site.close)
  )

const markdownOf = (client: Client, url: string) =>
  client.extract.createExtraction({ payload: { url } }).pipe(
    Effect.map((answer) => ("data" in answer ? (answer.data.markdown ?? "") : "")),
    Effect.catch((error) => Effect.succeed("code" in error ? String(error.code) : "failed"))
  )

describe("an answer that strict parsers refuse", () => {
  const messages: Readonly<Record<string, string>> = {
    "/lf": "HTTP/1.1 200 OK\ncontent-type: text/html\n\n<p>read",
    "/no-colon": "HTTP/1.1 200 OK\r\nthis is no header\r\ncontent-type: text/html\r\ncontent-length: 7\r\n\r\n<p>read",
    "/blank": "HTTP/1.1 200 OK\r\ncontent-type : text/html\r\ncontent-length : 7\r\n\r\n<p>read",
    "/twice": "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 7\r\ncontent-length: 7\r\n\r\n<p>read",
    "/both":
      "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n7\r\n<p>read\r\n0\r\n\r\n",
    "/folded": "HTTP/1.1 200 OK\r\ncontent-type: text/html;\r\n charset=utf-8\r\ncontent-length: 7\r\n\r\n<p>read",
    "/chunks": "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n7  \n<p>read\n0\n\n",
    "/nul": "HTTP/1.1 200 OK\r\nx-odd: a\u0001b\r\ncontent-type: text/html\r\ncontent-length: 7\r\n\r\n<p>read",
    "/junk": "\r\n\r\nHTTP/1.1 200 OK\r\nbad name: x\r\ncontent-type: text/html\r\n\r\n<p>read"
  }
  it.live("is read once more, as Chromium reads it", () =>
    Effect.gen(function* () {
      const site = yield* rawSite(messages)
      const client = yield* testScraper({ retries: 0 })
      for (const path of Object.keys(messages)) {
        assert.strictEqual(yield* markdownOf(client, site.url(path)), "read\n", path)
      }
    })
  )

  it.live("still fails where nobody can tell what it says", () =>
    Effect.gen(function* () {
      const site = yield* rawSite({
        "/lengths": "HTTP/1.1 200 OK\r\ncontent-length: 7\r\ncontent-length: 3\r\n\r\n<p>read",
        "/chunk": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n<p>read\r\n",
        "/status": "HTTP/1.1 abc\r\n\r\n<p>read"
      })
      const client = yield* testScraper({ retries: 0 })
      assert.strictEqual(yield* markdownOf(client, site.url("/lengths")), "CONNECTION_ERROR")
      for (const path of ["/chunk", "/status"]) {
        assert.strictEqual(yield* markdownOf(client, site.url(path)), "PROTOCOL_ERROR", path)
      }
    })
  )

  it.live("may be a robots.txt", () =>
    Effect.gen(function* () {
      const rules = "user-agent: *\ndisallow: /closed\n"
      const site = yield* rawSite({
        "/robots.txt": `HTTP/1.1 200 OK\ncontent-encoding: odd\n\n${rules}`,
        "/": `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n${page("home", "/closed")}`
      })
      const job = yield* crawl(yield* testScraper({ retries: 0 }), { url: site.url("/") })
      assert.deepStrictEqual(rowsOf(job), ["/ completed", "/closed ROBOTS_DISALLOWED"])
    })
  )
})

describe("the octets of a Location", () => {
  it.live("are UTF-8 where they can be, and Latin-1 else", () =>
    Effect.gen(function* () {
      const moved = (location: Buffer) =>
        Buffer.concat([
          Buffer.from("HTTP/1.1 302 Found\r\nlocation: "),
          location,
          Buffer.from("\r\ncontent-length: 0\r\n\r\n")
        ])
      const here = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 7\r\n\r\n<p>here"
      const site = yield* rawSite({
        "/utf8": moved(Buffer.from("/für")),
        "/latin1": moved(Buffer.from("/f\xfcr", "latin1")),
        "/f%C3%BCr": here
      })
      const client = yield* testScraper()
      assert.strictEqual(yield* markdownOf(client, site.url("/utf8")), "here\n")
      assert.strictEqual(yield* markdownOf(client, site.url("/latin1")), "here\n")
    })
  )
})

describe("requests and answers", () => {
  it.live("bring the language that is configured, or that of the caller", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home") })
      const client = yield* testScraper({ acceptLanguage: "de, en;q=0.5" })
      yield* client.extract.createExtraction({ payload: { url: site.url("/") } })
      assert.strictEqual(site.lastHeaders("/")?.["accept-language"], "de, en;q=0.5")
      yield* client.extract.createExtraction({ payload: { url: site.url("/"), headers: { "Accept-Language": "fr" } } })
      assert.strictEqual(site.lastHeaders("/")?.["accept-language"], "fr")
    })
  )

  it.live("are tried again where a proxy of the site had no answer", () =>
    Effect.gen(function* () {
      let asked = 0
      const site = yield* testSite({
        "/": (_, response) =>
          void response.writeHead(++asked < 3 ? 519 + asked : 200, { "content-type": "text/html" }).end("<p>at last")
      })
      assert.strictEqual(yield* markdownOf(yield* testScraper(), site.url("/")), "at last\n")
      assert.strictEqual(asked, 3)
    })
  )

  it.live("are HEAD wherever they can be GET", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer()
      const read = (method: string, path: string) =>
        Effect.promise(async () => {
          const answer = await fetch(`${baseUrl}${path}`, { method, headers: { "x-api-key": "first-key" } })
          return { status: answer.status, type: answer.headers.get("content-type"), body: await answer.text() }
        })
      for (const path of ["/health", "/docs", "/openapi.json", "/v1/crawls", "/nowhere"]) {
        const [get, head] = [yield* read("GET", path), yield* read("HEAD", path)]
        assert.deepStrictEqual({ ...get, body: "" }, head, path)
      }
    })
  )
})
