import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import type { Settings } from "../ScraperConfig.ts"
import { errorBody } from "./errorResponse.ts"

/**
 * The server's listener. What never becomes a request, because it is malformed, too large or too slow, is answered with
 * the envelope and costs the connection. Nothing is upgraded: a request that asks for it is answered as if it had not.
 */
export const listener = (settings: Settings): Server => {
  const server = createServer({
    maxHeaderSize: settings.maxHeaderBytes,
    headersTimeout: Math.min(settings.headersTimeoutMs, settings.requestTimeoutMs),
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, Math.ceil(settings.headersTimeoutMs / 4)),
    shouldUpgradeCallback: () => false
  })
  server.maxConnections = settings.maxConnections
  const latest = new WeakMap<Duplex, { readonly request: IncomingMessage; readonly response: ServerResponse }>()
  server.on("request", (request, response) => latest.set(request.socket, { request, response }))
  server.prependListener("request", answerHead)
  server.on("clientError", (error: Error & { readonly code?: string }, socket) => {
    const { request, response } = latest.get(socket) ?? {}
    // A second answer would be taken for that of the next request.
    const isAnswered = response?.headersSent === true && !(request?.complete === true && response.writableFinished)
    if (error.code === "ECONNRESET" || !socket.writable || isAnswered) return void socket.destroy()
    const [status, code, message] = refusals[error.code ?? ""] ?? malformed
    const body = JSON.stringify(errorBody(code, message))
    socket.end(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    )
  })
  return server
}

/** Answers `HEAD` wherever `GET` is answered: Node has noted by now that no body is to be sent. */
export const answerHead = (request: IncomingMessage): void => {
  if (request.method === "HEAD") request.method = "GET"
}

const malformed = ["400 Bad Request", "BAD_REQUEST", "The request cannot be read"] as const

const refusals: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "HEADERS_TOO_LARGE", "The headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "TIMEOUT", "The request was not complete in time"]
}
