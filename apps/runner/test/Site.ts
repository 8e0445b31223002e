import { createReadStream, statSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createSocketServer, type Server } from "node:net"
import { extname, join } from "node:path"
import { Effect } from "effect"

/** Answers a request; whatever it does not answer hangs until the server ends. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Serves on a free loopback port for the scope; answers the origin. */
export const serveHttp = (handler: Handler) =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => createServer(handler)),
      (server) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    return `http://127.0.0.1:${yield* listen(server)}`
  })

/** A loopback port that nobody listens on. */
export const closedPort = Effect.gen(function* () {
  const server = createSocketServer()
  const port = yield* listen(server)
  yield* Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  return port
})

/** Serves HTML pages by path; others are 404. */
export const servePages = (pages: Readonly<Record<string, string>>) =>
  serveHttp((request, response) => {
    const html = pages[request.url ?? ""]
    if (html === undefined) response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>")
    else response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html)
  })

/** An HTML page of a title, a sentence and links. */
export const page = (title: string, ...links: ReadonlyArray<string>): string =>
  `<!doctype html><title>${title}</title><h1>${title}</h1><p>About ${title}.</p>${links
    .map((link) => `<a href="${link}">${link}</a>`)
    .join("\n")}`

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".png": "image/png",
  ".svg": "image/svg+xml"
}

/** Serves the files of a directory; anything else is 404. */
export const serveDirectory = (root: string) =>
  serveHttp((request, response) => {
    const file = join(root, decodeURIComponent(new URL(request.url ?? "/", "http://site").pathname))
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) {
      response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" })
      createReadStream(file).pipe(response)
    } else response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>")
  })

const listen = (server: Server) =>
  Effect.callback<number>((resume) => {
    server.on("error", (error) => resume(Effect.die(error)))
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed(address !== null && typeof address === "object" ? address.port : 0))
    })
  })
