import { writeFileSync } from "node:fs"
import { createServer, type IncomingMessage } from "node:http"
import { connect } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { commandProcess } from "./ServerProcess.ts"
import { clientOf, crawl, stateDirectory, testScraper } from "./TestScraper.ts"
import { page, testSite } from "./TestSite.ts"

/** A proxy on loopback that tunnels wherever it is told to, for whoever has the password. */
const testProxy = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly asked: ReadonlyArray<string>; readonly close: () => void }>(
    (resume) => {
      const asked: Array<string> = []
      const server = createServer((_, response) => void response.writeHead(500).end())
      server.on("connect", (request: IncomingMessage, socket) => {
        asked.push(request.url ?? "")
        const isKnown = request.headers["proxy-authorization"] === `Basic ${btoa("me:secret")}`
        if (!isKnown) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        const { hostname, port } = new URL(`http://${request.url}`)
        const target = connect(Number(port), hostname, () => {
          socket.write("HTTP/1.1 200 Connection Established\r\n\r\n")
          target.pipe(socket).pipe(target)
        })
        for (const each of [socket, target]) each.on("error", () => void [socket, target].map((one) => one.destroy()))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = address !== null && typeof address === "object" ? address.port : 0
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ url: `http://me:secret@127.0.0.1:${port}`, asked, close }))
      })
    }
  ),
  (proxy) => Effect.sync(() => proxy.close())
)

const site = testSite({ "/": page("home", "/a"), "/a": page("a") })
const hostOf = (origin: string) => new URL(origin).host

describe("a proxy that is configured", () => {
  it.live("is gone through by what asks for it, and by nothing else", () =>
    Effect.gen(function* () {
      const proxy = yield* testProxy
      const target = yield* site
      const client = yield* testScraper({
        proxies: [{ type: "datacenter", country: "de", url: Redacted.make(proxy.url) }]
      })
      assert.strictEqual((yield* crawl(client, { url: target.url("/") })).completed_pages, 2)
      assert.deepStrictEqual(proxy.asked, [])
      for (const wish of [{ type: "datacenter" }, { type: "mix", country: "DE" }] as const) {
        const job = yield* crawl(client, { url: target.url("/"), proxy: wish })
        assert.strictEqual(job.completed_pages, 2)
        assert.deepInclude(job.crawl_config?.proxy, wish)
      }
      // One tunnel, or more where two were opened at once: they are kept.
      assert.deepStrictEqual([...new Set(proxy.asked)], [hostOf(target.origin)])
    })
  )

  it.live("is refused by name if it is not there, and with a browser", () =>
    Effect.gen(function* () {
      const proxy = yield* testProxy
      const client = yield* testScraper({
        proxies: [{ type: "datacenter", country: "de", url: Redacted.make(proxy.url) }]
      })
      const refusal = (payload: Parameters<typeof client.extract.createExtraction>[0]["payload"]) =>
        Effect.map(Effect.flip(client.extract.createExtraction({ payload })), String)
      const url = "http://a.example/"
      const rendered = { url, render_js: true, proxy: { type: "datacenter" } } as const
      assert.match(yield* refusal(rendered), /is not available/)
      assert.match(yield* refusal({ url, proxy: { type: "residential" } }), /none of type residential/)
      assert.match(
        yield* refusal({ url, proxy: { type: "datacenter", country: "FR" } }),
        /none of type datacenter in FR/
      )
      assert.deepStrictEqual(proxy.asked, [])
    })
  )

  it.live("is handed no target that is not public", () =>
    Effect.gen(function* () {
      const proxy = yield* testProxy
      const target = yield* site
      const client = yield* testScraper({
        allowPrivateTargets: false,
        respectRobots: false,
        proxies: [{ type: "datacenter", country: null, url: Redacted.make(proxy.url) }]
      })
      const { port } = new URL(target.origin)
      for (const host of ["127.0.0.1", "localhost", "[::1]", "0x7f.1"]) {
        const job = yield* crawl(client, { url: `http://${host}:${port}/`, proxy: { type: "datacenter" } })
        assert.strictEqual(job.results[0]?.error_code, "BLOCKED_TARGET", host)
      }
      assert.deepStrictEqual([proxy.asked, target.asked()], [[], []])
    })
  )

  it.live("that refuses us is a failed page, and tells no secret", () =>
    Effect.gen(function* () {
      const proxy = yield* testProxy
      const target = yield* site
      const url = proxy.url.replace("secret", "wrong-password")
      const client = yield* testScraper({
        retries: 0,
        respectRobots: false,
        proxies: [{ type: "datacenter", country: null, url: Redacted.make(url) }]
      })
      const job = yield* crawl(client, { url: target.url("/"), proxy: { type: "datacenter" } })
      assert.deepInclude(job.results[0], { status: "failed", error_code: "CONNECTION_ERROR" })
      assert.notMatch(JSON.stringify(job), /wrong-password/)
      assert.deepStrictEqual(target.asked(), [])
    })
  )

  it.live("comes from a file, its URL from a variable", () =>
    Effect.gen(function* () {
      const proxy = yield* testProxy
      const target = yield* site
      const folder = yield* stateDirectory
      const file = join(folder, "proxies.json")
      writeFileSync(file, JSON.stringify({ proxies: [{ type: "residential", url_variable: "PROXY_HOME" }] }))
      const args = ["--state-dir", join(folder, "state"), "--proxies-file", file]
      assert.match(String(yield* Effect.flip(commandProcess(args))), /PROXY_HOME, which is not set/)
      const server = yield* commandProcess(args, { PROXY_HOME: proxy.url })
      const job = yield* crawl(yield* clientOf(server.baseUrl), { url: target.url("/") })
      assert.strictEqual(job.completed_pages, 2)
      assert.include(proxy.asked, hostOf(target.origin))
      assert.notMatch(server.output(), /secret/)
    })
  )
})
