import { connect, createServer } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Converter } from "../src/conversion/Converter.ts"
import { SiteDiscovery } from "../src/crawl/SiteDiscovery.ts"
import { Fetcher } from "../src/fetching/Fetcher.ts"
import { HostQueue } from "../src/fetching/HostQueue.ts"
import { Robots } from "../src/fetching/Robots.ts"
import { guardedConnector, publicLookup, type Resolve } from "../src/net/AddressGuard.ts"
import { HttpGet } from "../src/net/HttpGet.ts"
import { TargetAgent } from "../src/net/TargetAgent.ts"
import { BrowserProcess } from "../src/rendering/BrowserProcess.ts"
import { openEgressProxy } from "../src/rendering/EgressProxy.ts"
import { Renderer } from "../src/rendering/Renderer.ts"
import { ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { WebhookPost } from "../src/webhooks/WebhookPost.ts"
import { raw, testScraper, testServer } from "./TestScraper.ts"

/** Spellings of this machine, of its network and of the metadata services of clouds, as the host of a URL. */
const forbidden = [
  "127.0.0.1",
  "127.0.0.1.",
  "127.1",
  "127.0.1",
  "127.255.255.254",
  "2130706433",
  "017700000001",
  "0x7f000001",
  "0177.0.0.1",
  "0x7f.0x0.0x0.0x1",
  "0x7f.1",
  "１２７.0.0.1",
  "①②⑦.⓪.⓪.①",
  "127%2e0%2e0%2e1",
  "localhost",
  "LOCALHOST",
  "0",
  "0.0.0.0",
  "[::]",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2001:0:7f00:1::]",
  "[fc00::1]",
  "[fd00:ec2::254]",
  "[fe80::1]",
  "[fec0::1]",
  "[ff02::1]",
  "10.0.0.1",
  "100.64.0.1",
  "100.100.100.200",
  "168.63.129.16",
  "169.254.169.254",
  "172.16.0.1",
  "192.0.0.192",
  "192.168.0.1",
  "198.18.0.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "3232235521"
]

/** What is refused as a URL already. */
const refused = (port: string) => [
  `http://public.example@127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}@127.0.0.1:${port}/`,
  `http://[fe80::1%25lo]:${port}/`,
  `http://[::1%25lo]:${port}/`,
  "file:///etc/passwd",
  "ftp://127.0.0.1/",
  "gopher://127.0.0.1/",
  "data:text/html,x",
  "javascript:1"
]

/** A place on loopback, by both protocols, that counts whoever comes to it. */
const listener = Effect.acquireRelease(
  Effect.callback<{ readonly port: string; readonly came: () => number; readonly close: () => void }>((resume) => {
    let came = 0
    const count = () => {
      const server = createServer((socket) => {
        came++
        socket.end("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\nsecret")
      })
      // A machine without IPv6 has one place fewer.
      server.on("error", () => undefined)
      return server
    }
    const four = count()
    const six = count()
    four.listen(0, "0.0.0.0", () => {
      const address = four.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      six.listen({ port, host: "::1" })
      const close = () => {
        four.close()
        six.close()
      }
      resume(Effect.succeed({ port: `${port}`, came: () => came, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const Settings = Layer.succeed(
  ServerSettings,
  withDefaults({ apiKeys: [Redacted.make("k")], hostDelayMs: 0, retries: 0, slowDownMs: 0, maxHostFailures: 1000 })
)

/** The real thing, but that every path of `public.example` answers what it is told: a redirect, or a text. */
const publicSite = { location: "", robots: undefined as string | undefined }
const WithPublicSite = Layer.effect(
  HttpGet,
  Effect.map(HttpGet, (http) =>
    HttpGet.of({
      get: (url, options) => {
        const { hostname, pathname } = new URL(url)
        if (!hostname.endsWith("public.example")) return http.get(url, options)
        const isText = pathname === "/robots.txt" && publicSite.robots !== undefined
        return Effect.succeed({
          status: isText ? 200 : 302,
          headers: [],
          header: (name) => (!isText && name === "location" ? publicSite.location : undefined),
          body: Buffer.from(isText ? (publicSite.robots ?? "") : "")
        })
      }
    })
  )
).pipe(Layer.provide(HttpGet.layer))

const Guarded = Layer.mergeAll(SiteDiscovery.layer, WebhookPost.layer).pipe(
  Layer.provideMerge(Fetcher.layer),
  Layer.provideMerge(Robots.layer),
  Layer.provide([Converter.layer, Renderer.layer]),
  Layer.provide(BrowserProcess.layer),
  Layer.provide(HostQueue.layer),
  Layer.provide(WithPublicSite),
  Layer.provide(TargetAgent.layer),
  Layer.provide(Settings)
)

describe("what must not be reached", () => {
  it.live("is not as a target, by a crawl, a batch or an extraction", () =>
    Effect.gen(function* () {
      const { came, port } = yield* listener
      const baseUrl = yield* testServer({ allowPrivateTargets: false, retries: 0 })
      const ask = (url: string) =>
        raw(`${baseUrl}/v1/extract`, {
          method: "POST",
          headers: { "x-api-key": "first-key", "content-type": "application/json" },
          body: JSON.stringify({ url })
        })
      for (const host of forbidden) {
        const { body, status } = yield* ask(`http://${host}:${port}/`)
        assert.strictEqual(status, 422, host)
        assert.propertyVal(body, "code", "BLOCKED_TARGET", host)
      }
      for (const url of refused(port)) assert.strictEqual((yield* ask(url)).status, 422, url)
      assert.strictEqual(came(), 0)
      // It is there to be reached.
      const open = yield* testScraper({ retries: 0, respectRobots: false })
      yield* open.extract.createExtraction({ payload: { url: `http://0x7f.1:${port}/` } })
      assert.strictEqual(came(), 1)
    })
  )

  it.live("is not by a redirect, a robots.txt, a sitemap or a webhook", () =>
    Effect.gen(function* () {
      const { came, port } = yield* listener
      const fetcher = yield* Fetcher
      const robots = yield* Robots
      const discovery = yield* SiteDiscovery
      const hooks = yield* WebhookPost
      for (const [at, host] of forbidden.entries()) {
        const url = `http://${host}:${port}/`
        publicSite.location = url
        publicSite.robots = ""
        const outcome = yield* Effect.scoped(
          fetcher.load(`http://a${at}.public.example/`, {
            headers: {},
            render: null,
            admit: () => "go",
            started: () => undefined
          })
        )
        assert.strictEqual(outcome._tag === "Failed" ? outcome.failure.code : outcome._tag, "BLOCKED_TARGET", host)
        // Its robots.txt redirects there.
        publicSite.robots = undefined
        yield* Effect.exit(robots.admit(`http://b${at}.public.example/`))
        // Its robots.txt names a sitemap there.
        publicSite.robots = `Sitemap: ${url}`
        const spec = { search: null, includeSubdomains: false, ignoreQueryParameters: false }
        yield* Effect.exit(discovery.discover({ url: `http://c${at}.public.example/`, ...spec }))
        assert.isUndefined(yield* hooks.post(url, {}, "{}"), host)
      }
      assert.strictEqual(came(), 0)
    }).pipe(Effect.provide(Guarded))
  )

  it.live("is not through the proxy of a rendered page", () =>
    Effect.gen(function* () {
      const { came, port } = yield* listener
      const proxy = yield* openEgressProxy({
        maxBytes: 1_000_000,
        connect: guardedConnector({ allowPrivateTargets: false, connectTimeoutMs: 1000 })
      })
      const say = (text: string) =>
        Effect.callback<string>((resume) => {
          let heard = ""
          const socket = connect(Number(new URL(proxy.url).port), "127.0.0.1", () => socket.write(text))
          socket.on("data", (chunk) => {
            heard += chunk
          })
          socket.on("error", () => undefined)
          socket.on("close", () => resume(Effect.succeed(heard)))
        })
      for (const host of forbidden.filter((each) => !each.includes("%") && !/[^ -~]/.test(each))) {
        const tunnel = yield* say(`CONNECT ${host}:${port} HTTP/1.1\r\nhost: ${host}:${port}\r\n\r\n`)
        assert.notInclude(tunnel, "200", host)
        const plain = yield* say(`GET http://${host}:${port}/ HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
        assert.notInclude(plain, "secret", host)
      }
      assert.strictEqual(came(), 0)
    })
  )

  it("is not by a name that resolves to it, now or the next time", () => {
    const four = (address: string) => ({ address, family: 4 })
    let asked = 0
    /** A name server that answers another address each time. */
    const rebinding: Resolve = (_, __, callback) => {
      asked++
      callback(null, [four(asked % 2 === 1 ? "8.8.8.8" : "127.0.0.1")])
    }
    const lookUp = (resolve: Resolve): unknown => {
      let answer: unknown
      publicLookup(resolve)("rebound.example", { all: true }, (error, addresses) => {
        answer = error === null ? addresses : "code" in error ? error.code : error
      })
      return answer
    }
    // The connection is made to what is answered here: nobody asks again.
    assert.deepStrictEqual(lookUp(rebinding), [four("8.8.8.8")])
    assert.strictEqual(asked, 1)
    assert.strictEqual(lookUp(rebinding), "BLOCKED_ADDRESS")
    assert.strictEqual(asked, 2)
    const both: Resolve = (_, __, callback) => callback(null, [four("10.0.0.1"), four("8.8.8.8"), four("127.0.0.1")])
    assert.deepStrictEqual(lookUp(both), [four("8.8.8.8")])
  })
})
