import { assert, describe, it, layer } from "@effect/vitest"
import { sampleSeed } from "@sluice/testkit"
import { Context, Effect, Layer } from "effect"
import fc from "fast-check"
import { bodyOf, unknownId } from "./ConformanceWorld.ts"
import { type Operation, operations, schemaNamed } from "./OpenApiDocument.ts"
import { sendRaw } from "./RawSocket.ts"
import { programProcess, type ServerProcess } from "./ServerProcess.ts"
import { keys, testServer, until } from "./TestScraper.ts"

const isLong = process.env.SLUICE_LONG_TESTS !== undefined
const numRuns = isLong ? 3000 : 80
/** Another in every run; `fast-check` prints it with the smallest request that goes wrong. */
const seed = Number(process.env.SLUICE_FUZZ_SEED ?? sampleSeed)

/** A server of its own process: what breaks it ends that process, and the tests see it. Nothing it is asked for is anywhere. */
class Fuzzed extends Context.Service<Fuzzed, ServerProcess>()("test/Fuzzed") {
  static readonly layer = Layer.effect(
    this,
    programProcess({
      chromium: "none",
      headersTimeoutMs: 400,
      requestTimeoutMs: 800,
      keepAliveTimeoutMs: 300,
      maxRequestBytes: 4096,
      maxHeaderBytes: 4096,
      maxOpenJobsPerKey: 100_000,
      retainJobs: 10,
      retries: 0,
      pageTimeoutMs: 200
    })
  )
}

const isEnvelope = schemaNamed("ErrorResponse")

/** Asserts that an answer is one that the document has for its operation, and no fault. */
const holds = (operation: Operation | undefined, status: number, text: string, told: string) => {
  assert.isTrue(status < 500 || (status === 501 && operation?.path.startsWith("/v1/search")), told)
  const body: unknown = text === "" ? undefined : JSON.parse(text)
  const listed = operation?.statuses.includes(String(status)) ? String(status) : "default"
  const validate = operation === undefined ? isEnvelope : operation.answer(listed)
  assert.strictEqual(validate === undefined ? "" : validate(body), "", told)
}

/** Whatever is sent, an answer comes within so many milliseconds. */
const answerWithinMs = 10_000

const send = async (
  baseUrl: string,
  operation: Operation | undefined,
  path: string,
  init: RequestInit
): Promise<number> => {
  const told = `${init.method} ${path} ${String(init.body).slice(0, 500)}`
  const response = await fetch(`${baseUrl}${path}`, { ...init, signal: AbortSignal.timeout(answerWithinMs) })
  holds(operation, response.status, await response.text(), `${told} -> ${response.status}`)
  return response.status
}

/** Runs a property; afterwards the process is the one that was started, and well. */
const fuzz = <A>(arbitrary: fc.Arbitrary<A>, property: (value: A, server: ServerProcess) => Promise<void>) =>
  Effect.gen(function* () {
    const server = yield* Fuzzed
    yield* Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(arbitrary, (value) => property(value, server)),
        { seed, numRuns }
      )
    )
    assert.isTrue(server.isRunning(), server.output())
    assert.strictEqual((yield* Effect.promise(() => fetch(`${server.baseUrl}/health`))).status, 200)
  })

// A name of its own that resolves to nothing: what is taken ends at once, without the network.
const site = { url: (path: string) => `http://127.0.0.1:9${path}` }
const taken = (operation: Operation) => bodyOf(operation, { site } as Parameters<typeof bodyOf>[1]) ?? {}

const nasty = fc.constantFrom<unknown>(
  "__proto__",
  "constructor",
  "\u0000",
  "\ud800",
  "\u202e",
  "http://[::1",
  "http://a@b:c@d/",
  "javascript:alert(1)",
  "//",
  "x".repeat(3000),
  1e308,
  -1e308,
  Number.MAX_SAFE_INTEGER + 2,
  1e-320,
  null
)
const key = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", "url", "urls", "headers"))
const value = fc.oneof(nasty, fc.jsonValue({ maxDepth: 4 }), fc.string({ unit: "binary" }))

const withBody = operations.filter(({ request }) => request !== undefined)
const anyBody = fc.constantFrom(...withBody).chain((operation) =>
  fc.record({
    operation: fc.constant(operation),
    changes: fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(operation.request?.properties ?? {})), key), value, {
      minKeys: 1,
      maxKeys: 4
    })
  })
)

const jsonHeaders = { "x-api-key": keys[0], "content-type": "application/json" }

const deep = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth)

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.json(),
  fc.constantFrom(
    deep(1500, "[", "]"),
    deep(500, '{"url":', "}"),
    `{"url":${deep(1500, "[", "]")}}`,
    '{"__proto__":{"url":"http://a.example/"}}',
    '{"url":"http://a.example/","__proto__":null,"constructor":{"prototype":1}}',
    `{"url":"http://a.example/","depth":${"9".repeat(400)}}`,
    '{"url":"http://a.example/","limit":1e400}',
    '{"url":"http://a.example/","limit":-0}',
    '\ufeff{"url":"http://a.example/"}',
    '{"url":"http://a.example/","url":1}',
    "NaN",
    '"\\ud800"'
  )
)

layer(Fuzzed.layer, { excludeTestServices: true })("a server of its own process", (it) => {
  it.effect("answers any body within the contract", () =>
    fuzz(anyBody, async ({ changes, operation }, { baseUrl }) => {
      const path = operation.path.replace(/\{\w+\}/, unknownId)
      const body = JSON.stringify(Object.assign(Object.create(null), taken(operation), changes))
      await send(baseUrl, operation, path, { method: operation.method, headers: jsonHeaders, body })
    })
  )

  it.effect("answers what is no JSON, or strange JSON, within the contract", () =>
    fuzz(fc.tuple(fc.constantFrom(...withBody), anyText), async ([operation, body], { baseUrl }) => {
      const path = operation.path.replace(/\{\w+\}/, unknownId)
      await send(baseUrl, operation, path, { method: operation.method, headers: jsonHeaders, body })
    })
  )

  it.effect("answers bodies of any bytes and any type within the contract", () =>
    fuzz(
      fc.tuple(
        fc.constantFrom(...withBody),
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(
          "application/json",
          "application/json; charset=utf-16",
          "text/plain",
          "multipart/form-data",
          "multipart/form-data; boundary=x",
          "application/x-www-form-urlencoded",
          "",
          ";;;"
        )
      ),
      async ([operation, bytes, type], { baseUrl }) => {
        const path = operation.path.replace(/\{\w+\}/, unknownId)
        await send(baseUrl, operation, path, {
          method: operation.method,
          headers: { "x-api-key": keys[0], "content-type": type },
          body: Buffer.from(bytes)
        })
      }
    )
  )

  it.effect("answers any query and any id within the contract", () =>
    fuzz(
      fc.tuple(
        fc.constantFrom(...operations.filter(({ method }) => method === "GET")),
        // Not an empty id: without one, the path names the list.
        fc.oneof(
          fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
          fc.constantFrom("..", "%", "%2e%2e", unknownId)
        ),
        fc.array(
          fc.tuple(
            fc.oneof(key, fc.constantFrom("page", "page_size", "status", "start_date", "end_date")),
            fc.oneof(
              fc.string({ unit: "binary" }),
              fc.constantFrom(
                "1e9",
                "-1",
                "99999999999999999999",
                "NaN",
                "2026-13-45",
                "275760-09-13T00:00:00.001Z",
                ""
              )
            )
          ),
          { maxLength: 5 }
        )
      ),
      async ([operation, id, query], { baseUrl }) => {
        const path = operation.path.replace(/\{\w+\}/, encodeURIComponent(id.toWellFormed()))
        const search = query.map(([name, text]) =>
          [name, text].map((each) => encodeURIComponent(each.toWellFormed())).join("=")
        )
        const url = new URL(`${path}?${search.join("&")}`, baseUrl)
        // What the URL makes of `..` is another operation, or none.
        const meant = url.pathname === path || !path.includes("..") ? operation : undefined
        const headers = operation.needsKey ? { "x-api-key": keys[0] } : {}
        const response = await fetch(url, { headers, signal: AbortSignal.timeout(answerWithinMs) })
        if (meant !== undefined && url.pathname === path) {
          holds(meant, response.status, await response.text(), `${url} -> ${response.status}`)
        } else assert.isBelow(response.status, 500, String(url))
      }
    )
  )

  it.effect("answers any request target and any headers, and closes what is no request", () =>
    fuzz(
      fc.tuple(
        fc.constantFrom("GET", "POST", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "FOO", "get"),
        fc.oneof(
          fc.string({ unit: "grapheme-ascii", maxLength: 60 }).map((text) => `/${text}`),
          fc.constantFrom("*", "http://other.example/health", "/v1/%", "/%ff%fe", "/v1//crawl", "//health", "/\\..\\x")
        ),
        fc.array(
          fc.tuple(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 12 }), fc.string({ maxLength: 30 })),
          {
            maxLength: 4
          }
        )
      ),
      async ([method, target, headers], { baseUrl }) => {
        const lines = headers.map(([name, text]) => `${name}: ${text}\r\n`).join("")
        const request = `${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`
        const { isClosed, statuses, text } = await Effect.runPromise(sendRaw(baseUrl, [request]))
        assert.isTrue(isClosed, request)
        assert.isAtLeast(statuses.length, 1, JSON.stringify(request))
        for (const status of statuses) assert.isBelow(status, 500, `${request}${text}`)
      }
    )
  )

  const head = "POST /v1/crawl HTTP/1.1\r\nHost: a\r\nX-Api-Key: first-key\r\nContent-Type: application/json\r\n"
  const wrong: Readonly<Record<string, readonly [parts: ReadonlyArray<string>, statuses: ReadonlyArray<number>]>> = {
    "headers without end": [[`GET /health HTTP/1.1\r\nHost: a\r\n${"X-A: b\r\n".repeat(5000)}`], [431]],
    "a huge header": [[`GET /health HTTP/1.1\r\nHost: a\r\nX-A: ${"b".repeat(100_000)}\r\n\r\n`], [431]],
    "a huge target": [[`GET /health?${"b".repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`], [431]],
    "two lengths": [[`${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`], [400]],
    "a length and chunks": [[`${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`], [400]],
    "an unknown transfer coding": [[`${head}Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n`], [422]],
    "a negative length": [[`${head}Content-Length: -1\r\n\r\n`], [400]],
    "a chunk size that is none": [[`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}`], [400]],
    "no host": [["GET /health HTTP/1.1\r\n\r\n"], [400]],
    "a header with a line feed in its name": [["GET /health HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n"], [400]],
    "another protocol": [["\u0016\u0003\u0001\u0002\u0000\u0001\u0000"], [400]],
    "a request that stays away": [[""], [408]],
    "headers that trickle in": [["GET /health HTTP/1.1\r\n", ..."Host: a\r\nX-Trickle: 123456789".split("")], [408]],
    "a body that trickles in": [[`${head}Content-Length: 100\r\n\r\n{`, ...'"url":"http://a/"'.split("")], [408]],
    "a body that is said to be too large": [[`${head}Content-Length: 100000\r\nConnection: close\r\n\r\n{`], [413]],
    "a body that never ends": [
      [
        `${head}Transfer-Encoding: chunked\r\n\r\n`,
        ...Array.from({ length: 20 }, () => `400\r\n${"a".repeat(1024)}\r\n`)
      ],
      [413]
    ],
    "an upgrade": [
      [
        "GET /health HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
      ],
      [200]
    ],
    "a tunnel": [["CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n"], []],
    "an expectation": [[`${head}Expect: the-impossible\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`], [417]]
  }
  for (const [name, [parts, expected]] of Object.entries(wrong)) {
    it.effect(`ends with ${name} by ${expected.join() || "closing"}`, () =>
      Effect.gen(function* () {
        const { baseUrl, isRunning, output } = yield* Fuzzed
        const { isClosed, statuses, text } = yield* sendRaw(baseUrl, parts, { pauseMs: 60, patienceMs: 8000 })
        assert.deepStrictEqual(statuses, expected, text)
        assert.isTrue(isClosed, text)
        const body = text.split("\r\n\r\n")[1] ?? ""
        // Two answers are Node's own, and empty.
        if (name !== "no host" && expected.some((status) => ![200, 417, 422].includes(status))) {
          assert.strictEqual(isEnvelope(JSON.parse(body)), "", text)
        }
        assert.isTrue(isRunning(), output())
      })
    )
  }

  it.effect("answers others while many connections hold back their requests", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Fuzzed
      const slow = Array.from({ length: 200 }, () => sendRaw(baseUrl, ["GET /health HTTP/1.1\r\nHo"]))
      const [answers, status] = yield* Effect.all(
        [
          Effect.all(slow, { concurrency: 200 }),
          Effect.promise(() => fetch(`${baseUrl}/health`)).pipe(Effect.map((response) => response.status))
        ],
        { concurrency: 2 }
      )
      assert.strictEqual(status, 200)
      assert.isTrue(answers.every(({ isClosed, statuses }) => isClosed && statuses.join() === "408"))
    })
  )

  it.effect("prints nothing of what it was sent", () =>
    Effect.gen(function* () {
      const { output } = yield* Fuzzed
      assert.match(output(), /^Listening on \S+\n$/)
    })
  )
})

describe("the largest number of connections", () => {
  it.live("is kept to, and given back", () =>
    Effect.gen(function* () {
      const baseUrl = yield* testServer({ maxConnections: 3 })
      const request = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
      const held = yield* Effect.forEach([1, 2, 3, 4, 5], () => sendRaw(baseUrl, [request], { patienceMs: 1000 }), {
        concurrency: 5
      })
      assert.lengthOf(
        held.filter(({ statuses }) => statuses.join() === "200"),
        3
      )
      assert.lengthOf(
        held.filter(({ isClosed, statuses }) => isClosed && statuses.length === 0),
        2
      )
      yield* until(sendRaw(baseUrl, [request], { patienceMs: 200 }), ({ statuses }) => statuses.join() === "200")
    })
  )
})
