import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect } from "effect"

/** An answer of the test site; a bare string is an HTML page. */
export type Route =
  | string
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string | Uint8Array }
  | ((request: IncomingMessage, response: ServerResponse) => void)

/** A site on loopback that counts what it is asked for. Paths it does not know are 404; it has no `robots.txt`. */
export interface TestSite {
  readonly origin: string
  readonly url: (path: string) => string
  /** How often a path was asked for. */
  readonly hits: (path: string) => number
  /** The paths asked for, in order, `robots.txt` left out. */
  readonly asked: () => ReadonlyArray<string>
  readonly lastHeaders: (path: string) => IncomingMessage["headers"] | undefined
  readonly set: (path: string, route: Route) => void
}

/** Starts a site on a free port. */
export const testSite = (routes: Readonly<Record<string, Route>>) =>
  Effect.acquireRelease(
    Effect.callback<TestSite & { readonly close: () => void }>((resume) => {
      const table = new Map(Object.entries(routes))
      const requests: Array<{ readonly path: string; readonly headers: IncomingMessage["headers"] }> = []
      const server = createServer((request, response) => {
        const path = request.url ?? "/"
        requests.push({ path, headers: request.headers })
        answer(table.get(path), request, response)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = address !== null && typeof address === "object" ? address.port : 0
        const origin = `http://127.0.0.1:${port}`
        resume(
          Effect.succeed({
            origin,
            url: (path) => `${origin}${path}`,
            hits: (path) => requests.filter((request) => request.path === path).length,
            asked: () => requests.map(({ path }) => path).filter((path) => path !== "/robots.txt"),
            lastHeaders: (path) => requests.findLast((request) => request.path === path)?.headers,
            set: (path, route) => void table.set(path, route),
            close: () => {
              server.closeAllConnections()
              server.close()
            }
          })
        )
      })
    }),
    (site) => Effect.sync(() => site.close())
  )

/** An HTML page with a title and links to the given addresses. */
export const page = (title: string, ...links: ReadonlyArray<string>): string =>
  `<!doctype html><html><head><title>${title}</title></head><body><h1>${title}</h1>${links
    .map((link) => `<a href="${link}">${link}</a>`)
    .join("\n")}</body></html>`

/** A redirect to `location`. */
export const redirect = (location: string, status = 302): Route => ({ status, headers: { location } })

/** A route that answers nothing until it is opened; then it answers everything that waited and waits no more. */
export const gate = (body: string): { readonly route: Route; readonly open: () => void } => {
  const waiting: Array<ServerResponse> = []
  let isOpen = false
  const send = (response: ServerResponse) => response.writeHead(200, { "content-type": "text/html" }).end(body)
  return {
    route: (_, response) => {
      if (isOpen) send(response)
      else waiting.push(response)
    },
    open: () => {
      isOpen = true
      for (const response of waiting) send(response)
    }
  }
}

const answer = (route: Route | undefined, request: IncomingMessage, response: ServerResponse): void => {
  if (route === undefined) {
    response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>")
  } else if (typeof route === "function") {
    route(request, response)
  } else if (typeof route === "string") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(route)
  } else {
    response.writeHead(route.status ?? 200, { "content-type": "text/html", ...route.headers }).end(route.body ?? "")
  }
}
