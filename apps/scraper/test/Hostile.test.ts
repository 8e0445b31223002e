import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer as createTlsServer } from "node:https"
import { createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import tls from "node:tls"
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Client, testScraper } from "./TestScraper.ts"
import { page, redirect, testSite } from "./TestSite.ts"

/** A target that answers every connection, once something was asked, with what it is told to write. */
const rawTarget = (answer: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly asked: () => number; readonly close: () => void }>((resume) => {
      let asked = 0
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => socket.destroy())
        socket.on("data", (chunk) => {
          if (`${chunk}`.startsWith("GET /robots.txt")) {
            socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
          }
          asked++
          answer(socket)
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = address !== null && typeof address === "object" ? address.port : 0
        const close = () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}/`, asked: () => asked, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

/** The code and message an extraction fails with, or what it came to. */
const endOf = (client: Client, url: string) =>
  client.extract.createExtraction({ payload: { url } }).pipe(
    Effect.match({
      onSuccess: (answer) => ({ code: "completed", message: "data" in answer ? (answer.data.markdown ?? "") : "" }),
      onFailure: (error) => ({
        code: "code" in error ? String(error.code) : "no code",
        message: "message" in error ? String(error.message) : ""
      })
    })
  )

const ok = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"

/** Writes again and again until the connection is gone. */
const forEver = (socket: Socket, chunk: string, everyMs: number) => {
  const timer = setInterval(() => socket.write(chunk), everyMs)
  socket.on("close", () => clearInterval(timer))
}

const answers: ReadonlyArray<
  readonly [name: string, code: string, attempts: number, answer: (socket: Socket) => void, says?: RegExp]
> = [
  ["says what is no status line", "PROTOCOL_ERROR", 2, (socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")],
  ["says an impossible status", "PROTOCOL_ERROR", 2, (socket) => socket.end("HTTP/1.1 OK fine\r\n\r\n")],
  [
    "sends more headers than anybody reads",
    "PROTOCOL_ERROR",
    2,
    (socket) => socket.end(`${ok}${"x-flood: 0123456789\r\n".repeat(5000)}\r\n`),
    /headers of the answer are too large/
  ],
  [
    "sends one header without an end",
    "PROTOCOL_ERROR",
    2,
    (socket) => {
      socket.write(`${ok}x-endless: `)
      forEver(socket, "y".repeat(4096), 5)
    }
  ],
  [
    "sends garbage for chunks",
    "PROTOCOL_ERROR",
    2,
    (socket) => socket.end(`${ok}transfer-encoding: chunked\r\n\r\nzz\r\nnot a chunk\r\n`)
  ],
  ["closes without a word", "CONNECTION_ERROR", 2, (socket) => socket.end()],
  ["resets the connection", "CONNECTION_ERROR", 2, (socket) => socket.resetAndDestroy()],
  [
    "resets it in the middle of the body",
    "CONNECTION_ERROR",
    2,
    (socket) => {
      socket.write(`${ok}content-length: 1000\r\n\r\n<p>half`, () => socket.resetAndDestroy())
    }
  ],
  [
    "sends less than it says",
    "CONNECTION_ERROR",
    2,
    (socket) => socket.end(`${ok}content-length: 1000\r\nconnection: close\r\n\r\n<p>short`)
  ],
  ["sends more than it says", "completed", 1, (socket) => socket.end(`${ok}content-length: 5\r\n\r\n<p>ab<p>c`)],
  ["ends its body by closing", "completed", 1, (socket) => socket.end("HTTP/1.0 200 OK\r\n\r\n<p>ab")],
  ["never answers", "TIMEOUT", 2, () => undefined],
  [
    "sends its headers a byte at a time",
    "TIMEOUT",
    2,
    (socket) => {
      socket.write(ok)
      forEver(socket, "x", 50)
    }
  ],
  [
    "sends its body a byte at a time",
    "TIMEOUT",
    2,
    (socket) => {
      socket.write(`${ok}\r\n<p>`)
      forEver(socket, "x", 50)
    }
  ],
  [
    "sends a body without an end",
    "PAGE_TOO_LARGE",
    1,
    (socket) => {
      socket.write(`${ok}\r\n`)
      forEver(socket, "x".repeat(65_536), 1)
    }
  ],
  [
    "says that its body is too large",
    "PAGE_TOO_LARGE",
    1,
    (socket) => socket.write(`${ok}content-length: 999999999999\r\n\r\n`)
  ],
  [
    "sends what is no page under the type of one",
    "UNSUPPORTED_CONTENT_TYPE",
    1,
    (socket) => socket.end(`${ok}content-length: 9\r\n\r\n%PDF-1.7\n`)
  ],
  [
    "sends an unknown encoding",
    "completed",
    1,
    (socket) => socket.end(`${ok}content-encoding: gzip, zip\r\ncontent-length: 5\r\n\r\n<p>ab`)
  ],
  [
    "wraps encodings around each other",
    "CONVERSION_ERROR",
    1,
    (socket) => socket.end(`${ok}content-encoding: gzip, gzip, gzip\r\ncontent-length: 2\r\n\r\nPK`)
  ],
  [
    "names a charset nobody knows",
    "completed",
    1,
    (socket) =>
      socket.end("HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=klingon\r\ncontent-length: 5\r\n\r\n<p>ab")
  ]
]

const zeros = Buffer.alloc(64 * 1024 * 1024, "<b>")
const MiB = 1024 * 1024

describe("a hostile target", () => {
  for (const [name, code, attempts, answer, says] of answers) {
    it.live(`that ${name}: ${code}`, () =>
      Effect.gen(function* () {
        const target = yield* rawTarget(answer)
        const client = yield* testScraper({ retries: 1, pageTimeoutMs: 700, maxPageBytes: MiB })
        const startedAt = performance.now()
        const end = yield* endOf(client, target.url)
        assert.strictEqual(end.code, code, end.message)
        assert.strictEqual(target.asked(), attempts)
        assert.isBelow(performance.now() - startedAt, 10_000)
        if (code === "completed") assert.strictEqual(end.message, "ab\n")
        if (says !== undefined) assert.match(end.message, says)
      })
    )
  }

  it.live("that sends a bomb costs neither its size in memory nor the time to unpack it", () =>
    Effect.gen(function* () {
      const bombs = {
        gzip: gzipSync(zeros),
        deflate: deflateSync(zeros),
        br: brotliCompressSync(zeros),
        zstd: zstdCompressSync(zeros),
        "gzip, gzip": gzipSync(gzipSync(zeros))
      }
      const paths = Object.keys(bombs).map((name) => `/${encodeURIComponent(name)}`)
      const site = yield* testSite(
        Object.fromEntries(
          Object.entries(bombs).map(([name, body]) => [
            `/${encodeURIComponent(name)}`,
            { headers: { "content-encoding": name }, body }
          ])
        )
      )
      // With and without room for the whole of it.
      for (const maxPageBytes of [10 * MiB, 256 * MiB]) {
        const client = yield* testScraper({ maxPageBytes })
        const before = process.memoryUsage().rss
        for (const path of paths) {
          const { code } = yield* endOf(client, site.url(path))
          if (maxPageBytes > 10 * MiB) assert.strictEqual(code, "COMPRESSION_BOMB", path)
          else assert.include(["COMPRESSION_BOMB", "PAGE_TOO_LARGE"], code, path)
        }
        assert.isBelow(process.memoryUsage().rss - before, 100 * MiB)
      }
    })
  )

  it.live("that compresses well is no bomb", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 20_000 }, (_, at) => `<p>row ${at} of a long list</p>`).join("\n")
      const site = yield* testSite({ "/": { headers: { "content-encoding": "gzip" }, body: gzipSync(rows) } })
      assert.strictEqual((yield* endOf(yield* testScraper(), site.url("/"))).code, "completed")
    })
  )

  it.live("that redirects without an end is left after the bound, and in a circle at once", () =>
    Effect.gen(function* () {
      let hop = 0
      const site = yield* testSite({
        "/a": redirect("/b"),
        "/b": redirect("/c"),
        "/c": redirect("/a"),
        ...Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`/hop${at}`, redirect(`/hop${at + 1}`)]))
      })
      const client = yield* testScraper()
      assert.strictEqual((yield* endOf(client, site.url("/a"))).message, "The redirects lead in a circle")
      assert.strictEqual(site.asked().length, 3)
      hop = site.asked().length
      assert.strictEqual((yield* endOf(client, site.url("/hop0"))).code, "TOO_MANY_REDIRECTS")
      assert.strictEqual(site.asked().length - hop, 11)
    })
  )

  it.live("that lies about its type is taken for what it sends", () =>
    Effect.gen(function* () {
      const typed = (type: string, body: string | Uint8Array) => ({ headers: { "content-type": type }, body })
      const site = yield* testSite({
        "/octets": typed("application/octet-stream", "<!doctype html><h1>page</h1>"),
        "/notes": typed("application/octet-stream", "# notes\n"),
        "/markdown": typed("text/markdown; charset=utf-8", "# own\n"),
        "/json": typed("application/problem+json", '{"a":"```"}'),
        "/atom": typed(
          "application/atom+xml",
          '<feed xmlns="x"><link href="/a"/><entry><link href="http://o.example/b"/></entry></feed>'
        ),
        "/rss": typed("text/xml", "<rss><channel><link>/c</link><item><link> /d </link></item></channel></rss>"),
        "/png": typed("text/html", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a])),
        "/zip": typed("text/plain", Buffer.from([0x50, 0x4b, 3, 4, 0, 0])),
        "/nul": typed("text/plain", Buffer.from([65, 0, 66])),
        "/wide": typed("text/plain; charset=utf-16le", Buffer.from("wide", "utf16le")),
        "/image": typed("image/png", "x"),
        "/film": typed("video/mp4", Buffer.alloc(4 * MiB))
      })
      const client = yield* testScraper()
      for (const [path, code, markdown] of [
        ["/octets", "completed", "# page\n"],
        ["/notes", "completed", "# notes\n"],
        ["/markdown", "completed", "# own\n"],
        ["/json", "completed", '````json\n{"a":"```"}\n````\n'],
        ["/wide", "completed", "wide"],
        ["/png", "UNSUPPORTED_CONTENT_TYPE", undefined],
        ["/zip", "UNSUPPORTED_CONTENT_TYPE", undefined],
        ["/nul", "UNSUPPORTED_CONTENT_TYPE", undefined],
        ["/image", "UNSUPPORTED_CONTENT_TYPE", undefined],
        ["/film", "UNSUPPORTED_CONTENT_TYPE", undefined]
      ] as const) {
        const end = yield* endOf(client, site.url(path))
        assert.strictEqual(end.code, code, path)
        if (markdown !== undefined) assert.strictEqual(end.message, markdown, path)
      }
      const links = (path: string) =>
        client.extract
          .createExtraction({ payload: { url: site.url(path), extract_links: true } })
          .pipe(Effect.map((answer) => ("data" in answer ? answer.data.links : undefined)))
      assert.deepStrictEqual(yield* links("/atom"), [site.url("/a"), "http://o.example/b"])
      assert.deepStrictEqual(yield* links("/rss"), [site.url("/c"), site.url("/d")])
    })
  )
})

const openssl = spawnSync("openssl", ["version"]).status === 0

/** Certificates made for the test: an authority, and hosts it vouches for. */
const certificates = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(join(tmpdir(), "scraper-tls-"))
    const at = (name: string) => join(directory, name)
    const run = (...args: ReadonlyArray<string>) => {
      const made = spawnSync("openssl", args, { cwd: directory, encoding: "utf8" })
      assert.strictEqual(made.status, 0, made.stderr)
    }
    run(..."req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem".split(" "))
    const made = (name: string, names: string, ...dates: ReadonlyArray<string>) => {
      writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\n`)
      run(..."req -newkey rsa:2048 -nodes -subj /CN=x -keyout".split(" "), `${name}.key`, "-out", `${name}.csr`)
      run(
        ..."x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial".split(" "),
        ...["-in", `${name}.csr`, "-out", `${name}.pem`, "-extfile", `${name}.ext`],
        ...dates
      )
      return { key: readFileSync(at(`${name}.key`)), cert: readFileSync(at(`${name}.pem`)) }
    }
    return {
      directory,
      ca: readFileSync(at("ca.pem"), "utf8"),
      own: { key: readFileSync(at("ca.key")), cert: readFileSync(at("ca.pem")) },
      good: made("good", "IP:127.0.0.1", "-days", "2"),
      other: made("other", "DNS:other.example", "-days", "2"),
      expired: made("expired", "IP:127.0.0.1", "-days", "-1")
    }
  }),
  ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const tlsTarget = (options: { readonly key: Buffer; readonly cert: Buffer }) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly hits: () => number; readonly close: () => void }>((resume) => {
      let hits = 0
      const server = createTlsServer(options, (_, response) => {
        hits++
        response.writeHead(200, { "content-type": "text/html" }).end("<p>ab")
      })
      server.on("tlsClientError", () => undefined)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = address !== null && typeof address === "object" ? address.port : 0
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ url: `https://127.0.0.1:${port}/`, hits: () => hits, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const name = "a target with TLS"
describe.skipIf(!openssl)(openssl ? name : `${name} (skipped: openssl makes the certificates, and is not here)`, () => {
  it.live("is had if its certificate is right, and fails by what is wrong with it", () =>
    Effect.gen(function* () {
      const { ca, expired, good, other, own } = yield* certificates
      const client = yield* testScraper({ retries: 2 })
      const unknown = yield* tlsTarget(good)
      assert.match((yield* endOf(client, unknown.url)).message, /unknown authority/)
      const known = tls.getCACertificates("default")
      yield* Effect.acquireRelease(
        Effect.sync(() => tls.setDefaultCACertificates([...known, ca])),
        () => Effect.sync(() => tls.setDefaultCACertificates(known))
      )
      for (const [certificate, code, says] of [
        [good, "completed", /ab/],
        [other, "TLS_ERROR", /is for another host/],
        [expired, "TLS_ERROR", /has expired/]
      ] as const) {
        const target = yield* tlsTarget(certificate)
        const end = yield* endOf(client, target.url)
        assert.strictEqual(end.code, code, end.message)
        assert.match(end.message, says)
        if (code === "TLS_ERROR") assert.strictEqual(target.hits(), 0)
      }
      const plain = yield* testSite({ "/": page("plain") })
      assert.strictEqual((yield* endOf(client, plain.url("/").replace("http:", "https:"))).code, "TLS_ERROR")
      const secure = yield* tlsTarget(own)
      const end = yield* endOf(client, secure.url.replace("https:", "http:"))
      assert.include(["PROTOCOL_ERROR", "CONNECTION_ERROR", "HTTP_ERROR"], end.code)
    })
  )
})
