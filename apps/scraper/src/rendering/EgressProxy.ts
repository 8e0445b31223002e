import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { Deferred, Effect, type Scope } from "effect"
import type { buildConnector } from "undici"
import { hopByHopHeaders } from "../net/hopByHopHeaders.ts"
import { finalFailure, type PageFailure } from "../net/PageFailure.ts"

/** Connections that a page may have open at once; Chromium itself opens 32 through a proxy, and WebSockets beside them. */
const maxConnections = 64

/** The limits of a proxy. */
export interface EgressLimits {
  /** Opens a connection, or fails where the address may not be reached. */
  readonly connect: buildConnector.connector
  /** Bytes in both directions, all in all. */
  readonly maxBytes: number
}

/** A proxy for one page of the browser. */
export interface EgressProxy {
  readonly url: string
  /** Fails once more has passed than may. */
  readonly overdrawn: Effect.Effect<never, PageFailure>
}

/**
 * An HTTP proxy on loopback, for the scope. Chromium takes every connection of a page through it, and never resolves a
 * name: each is resolved, judged and connected to here, in one go. Closing it cuts off whatever is still open.
 */
export const openEgressProxy = Effect.fnUntraced(function* (
  limits: EgressLimits
): Effect.fn.Return<EgressProxy, never, Scope.Scope> {
  const overdrawn = Deferred.makeUnsafe<never, PageFailure>()
  const open = new Set<Duplex>()
  let bytes = 0

  const hold = <S extends Duplex>(socket: S): S => {
    open.add(socket)
    // The stream's owner sees its end; its errors say nothing more.
    socket.on("error", () => socket.destroy())
    socket.on("close", () => open.delete(socket))
    return socket
  }
  const cutOff = () => {
    for (const socket of open) socket.destroy()
  }
  const count = (chunk: Buffer) => {
    bytes += chunk.byteLength
    if (bytes <= limits.maxBytes) return
    const failure = finalFailure("PAGE_TOO_LARGE", `The page exchanges more than ${limits.maxBytes} bytes`)
    Deferred.doneUnsafe(overdrawn, Effect.fail(failure))
    cutOff()
  }

  const reach = (target: Target, then: (upstream: Socket | undefined) => void) =>
    limits.connect({ ...target, host: target.hostname, protocol: "http:" }, (error, socket) => {
      if (error !== null || Deferred.isDoneUnsafe(overdrawn) || isClosed) {
        socket?.destroy()
        return then(undefined)
      }
      socket.on("data", count)
      then(hold(socket))
    })

  const tunnel = (asked: IncomingMessage, client: Duplex, head: Buffer) => {
    hold(client)
    const target = targetOf(`http://${asked.url}`)
    if (target === undefined) return client.end("HTTP/1.1 400 Bad Request\r\n\r\n")
    reach(target, (upstream) => {
      if (upstream === undefined || client.destroyed) {
        upstream?.destroy()
        return client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n")
      }
      client.on("data", count)
      client.on("close", () => upstream.destroy())
      upstream.on("close", () => client.destroy())
      client.write("HTTP/1.1 200 Connection established\r\n\r\n")
      if (head.byteLength > 0) upstream.write(head)
      upstream.pipe(client)
      client.pipe(upstream)
    })
  }

  const forward = (asked: IncomingMessage, answer: ServerResponse) => {
    const url = asked.url?.startsWith("http://") === true ? URL.parse(asked.url) : null
    const target = url === null ? undefined : targetOf(url.href)
    if (url === null || target === undefined) return void answer.writeHead(400).end()
    // No answer of its own, which the page would take for one of the target's.
    const refuse = () => void answer.destroy()
    reach(target, (upstream) => {
      if (upstream === undefined) return refuse()
      const onward = request({
        createConnection: () => upstream,
        method: asked.method ?? "GET",
        path: `${url.pathname}${url.search}`,
        setHost: false,
        headers: withoutHopByHop(asked.rawHeaders)
      })
      onward.on("error", refuse)
      onward.on("response", (response) => {
        answer.writeHead(response.statusCode ?? 502, withoutHopByHop(response.rawHeaders))
        response.pipe(answer)
        response.on("error", () => answer.destroy())
      })
      answer.on("close", () => upstream.destroy())
      asked.on("data", count)
      asked.pipe(onward)
    })
  }

  let isClosed = false
  const server = createServer(forward)
  server.maxConnections = maxConnections
  server.on("connect", tunnel)
  server.on("connection", hold)
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(address !== null && typeof address === "object" ? address.port : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        isClosed = true
        server.close()
        cutOff()
      })
  )
  return { url: `http://127.0.0.1:${port}`, overdrawn: Deferred.await(overdrawn) }
})

interface Target {
  readonly hostname: string
  readonly port: string
}

const targetOf = (url: string): Target | undefined => {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.hostname === "") return undefined
  return { hostname: parsed.hostname.replace(/^\[|\]$/g, ""), port: parsed.port === "" ? "80" : parsed.port }
}

const withoutHopByHop = (raw: ReadonlyArray<string>): Array<string> => {
  const kept: Array<string> = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? ""
    if (!hopByHopHeaders.has(name.toLowerCase())) kept.push(name, raw[index + 1] ?? "")
  }
  return kept
}
