import { createSocket } from "node:dgram"
import { createServer, type IncomingMessage } from "node:http"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { guardedConnector } from "../src/net/AddressGuard.ts"
import { BrowserProcess } from "../src/rendering/BrowserProcess.ts"
import { openEgressProxy } from "../src/rendering/EgressProxy.ts"
import { renderPage } from "../src/rendering/RenderedPage.ts"
import { ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { describeInBrowser } from "./TestBrowser.ts"

const Settings = Layer.succeed(ServerSettings, withDefaults({ apiKeys: [Redacted.make("k")] }))
const Browser = BrowserProcess.layer.pipe(Layer.provide(Settings))

/** A place on this machine that tells what has come to it, be it a connection or a datagram. */
const forbidden = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly came: Array<string>; readonly close: () => void }>((resume) => {
    const came: Array<string> = []
    const server = createServer((request: IncomingMessage, response) => {
      came.push(`${request.method} ${request.headers.host?.split(":")[0]} ${request.url}`)
      response.writeHead(200, { "access-control-allow-origin": "*", "content-type": "text/html" }).end("secret")
    })
    server.on("upgrade", (request, socket) => {
      came.push(`UPGRADE ${request.url}`)
      socket.destroy()
    })
    server.on("connection", () => came.push("connection"))
    server.listen(0, "0.0.0.0", () => {
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      const datagrams = createSocket("udp4", (message) => came.push(`datagram of ${message.byteLength}`))
      datagrams.bind(port, "0.0.0.0", () =>
        resume(
          Effect.succeed({
            port,
            came,
            close: () => {
              datagrams.close()
              server.closeAllConnections()
              server.close()
            }
          })
        )
      )
    })
  }),
  (place) => Effect.sync(place.close)
)

/** A page that tries everything it has to reach `http://<host>:<port>/`; then it tells how each attempt went. */
const attacker = (host: string, port: number) => `<!doctype html><title>a</title>
<link rel="dns-prefetch" href="//${host}:${port}/"><link rel="preconnect" href="http://${host}:${port}/">
<link rel="stylesheet" href="http://${host}:${port}/style"><body><script>
const at = (path) => "http://${host}:${port}/" + path
const made = (name, properties) => new Promise((settle) => {
  const element = Object.assign(document.createElement(name), properties)
  element.onload = () => settle("load"); element.onerror = () => settle("error")
  document.body.append(element)
})
const heard = (target, ...events) => new Promise((settle) => {
  for (const event of events) target.addEventListener(event, () => settle(event))
})
const attempts = {
  img: () => made("img", { src: at("img") }),
  redirect: () => made("img", { src: "/redirect" }),
  script: () => made("script", { src: at("script") }),
  iframe: () => made("iframe", { src: at("iframe") }),
  fetch: () => fetch(at("fetch")).then((answer) => answer.text()),
  post: () => fetch(at("post"), { method: "POST", mode: "no-cors", body: "x" }).then(() => "sent"),
  beacon: async () => { navigator.sendBeacon(at("beacon"), "x") },
  xhr: () => { const x = new XMLHttpRequest(); x.open("GET", at("xhr")); x.send(); return heard(x, "load", "error") },
  events: () => heard(new EventSource(at("events")), "open", "error"),
  socket: () => heard(new WebSocket(at("socket").replace("http", "ws")), "open", "error"),
  secure: () => heard(new WebSocket(at("secure").replace("http", "wss")), "open", "error"),
  https: () => fetch(at("https").replace("http", "https")).then(() => "had"),
  file: () => fetch("file:///etc/passwd").then((answer) => answer.text()),
  frame: async () => { document.body.append(Object.assign(document.createElement("iframe"), { src: "file:///etc/passwd" })) },
  window: async () => String(window.open(at("window"))),
  service: () => navigator.serviceWorker.register("/worker.js"),
  worker: () => heard(new Worker(URL.createObjectURL(new Blob([
    "fetch('" + at("worker") + "').then(() => postMessage(1), () => postMessage(1))"]))), "message"),
  transport: () => new WebTransport("https://${host}:${port}/").ready,
  rtc: () => {
    const peer = new RTCPeerConnection({ iceServers: [
      { urls: "stun:${host}:${port}" },
      { urls: "turn:${host}:${port}?transport=udp", username: "u", credential: "c" }
    ] })
    peer.createDataChannel("c")
    peer.createOffer().then((offer) => peer.setLocalDescription(offer))
    return new Promise((settle) => peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState === "complete") settle("complete")
    }))
  }
}
Promise.all(Object.entries(attempts).map(async ([name, attempt]) => {
  let end
  try { end = await attempt() } catch (error) { end = error.name }
  document.body.insertAdjacentHTML("beforeend", "<p>" + name + ": " + end + "</p>")
})).then(() => document.body.insertAdjacentHTML("beforeend", "<p id=done>done</p>"))
</script>`

/**
 * Renders the attacker's page as that of `public.example`, which is allowed and where `/redirect` leads to the target. Answers
 * the page.
 */
const attack = Effect.fnUntraced(function* (origin: string, host: string, port: number, allowPrivateTargets: boolean) {
  const redirector = yield* Effect.acquireRelease(
    Effect.callback<{ readonly port: string; readonly close: () => void }>((resume) => {
      const server = createServer((_, response) =>
        response.writeHead(302, { location: `http://${host}:${port}/redirected` }).end()
      )
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const bound = address !== null && typeof address === "object" ? address.port : 0
        resume(Effect.succeed({ port: `${bound}`, close: () => void server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
  const guarded = guardedConnector({ allowPrivateTargets, connectTimeoutMs: 1000 })
  const open = guardedConnector({ allowPrivateTargets: true, connectTimeoutMs: 1000 })
  const proxy = yield* openEgressProxy({
    maxBytes: 1_000_000,
    connect: (target, callback) => {
      if (target.hostname === "public.example") {
        return open({ ...target, hostname: "127.0.0.1", host: "127.0.0.1", port: redirector.port }, callback)
      }
      // A name that looks like any other to the browser, and resolves to loopback here.
      const isRebound = target.hostname === "rebound.example"
      return guarded(isRebound ? { ...target, hostname: "localhost", host: "localhost" } : target, callback)
    }
  })
  const { lease } = yield* BrowserProcess
  const end = yield* renderPage(
    yield* lease,
    {
      document: {
        url: `${origin}/`,
        httpStatus: 200,
        headers: [],
        contentType: "text/html; charset=utf-8",
        body: Buffer.from(attacker(host, port))
      },
      wait: { until: "load", selector: "#done", timeoutMs: null },
      userAgent: "test",
      ignored: new Set(),
      rereads: true,
      cookies: []
    },
    { proxyUrl: proxy.url, timeoutMs: 30_000, maxBytes: 1_000_000 }
  )
  return end._tag === "Rendered" ? end.html : end.to
}, Effect.scoped)

/** The soak takes all of it. */
const isLong = process.env.SLUICE_LONG_TESTS !== undefined

describeInBrowser("what a rendered page may reach", () => {
  layer(Browser, { excludeTestServices: true })((it) => {
    it.effect(
      "is nothing on this machine, whatever it tries and however it is named",
      () =>
        Effect.gen(function* () {
          const { came, port } = yield* forbidden
          for (const host of [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0x7f.1",
            "0.0.0.0",
            "rebound.example"
          ]) {
            const html = yield* attack("http://public.example", host, port, false)
            assert.deepStrictEqual(came, [], host)
            assert.notInclude(html, "secret")
            assert.notInclude(html, "root:")
            for (const name of ["img", "redirect", "script", "events", "socket", "secure", "xhr"]) {
              assert.include(html, `<p>${name}: error</p>`, host)
            }
            for (const name of ["fetch", "post", "https", "file"])
              assert.include(html, `<p>${name}: TypeError</p>`, host)
          }
        }),
      120_000
    )

    it.effect("is nothing by what only a secure page may use", () =>
      Effect.gen(function* () {
        const { came, port } = yield* forbidden
        const html = yield* attack("https://public.example", "127.0.0.1", port, false)
        assert.deepStrictEqual(came, [])
        assert.include(html, "<p>transport: WebTransportError</p>")
        assert.include(html, "<p>service: undefined</p>")
      })
    )

    if (isLong)
      it.effect("is everything it asks for where private targets are allowed, datagrams excepted", () =>
        Effect.gen(function* () {
          const { came, port } = yield* forbidden
          yield* attack("http://public.example", "rebound.example", port, true)
          assert.include(came, "GET rebound.example /fetch")
          const html = yield* attack("http://public.example", "127.0.0.1", port, true)
          const asked = came.filter((each) => each !== "connection").sort()
          assert.includeMembers(asked, [
            "GET 127.0.0.1 /events",
            "GET 127.0.0.1 /fetch",
            "GET 127.0.0.1 /iframe",
            "GET 127.0.0.1 /img",
            "GET 127.0.0.1 /redirected",
            "GET 127.0.0.1 /script",
            "GET 127.0.0.1 /style",
            "GET 127.0.0.1 /worker",
            "GET 127.0.0.1 /xhr",
            "POST 127.0.0.1 /beacon",
            "POST 127.0.0.1 /post",
            "UPGRADE /socket"
          ])
          assert.notInclude(asked, "GET 127.0.0.1 /window")
          assert.deepStrictEqual(
            asked.filter((each) => each.startsWith("datagram")),
            []
          )
          assert.include(html, "<p>fetch: secret</p>")
        })
      )
  })
})
