import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join, normalize } from "node:path"

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2"
}

/** The path that the site is served below: links that only work at the root of a host fail. */
const base = "/any/path/"

/** Serves a folder of files on loopback, below a path, as a plain host of static files would. */
export const serveSite = (folder: string): Promise<{ readonly url: string; readonly close: () => void }> =>
  new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      const path = decodeURIComponent(new URL(request.url ?? "/", "http://site").pathname)
      const file = path.endsWith("/") ? `${path}index.html` : path
      const served = path.startsWith(base) ? readFile(join(folder, normalize(file.slice(base.length)))) : undefined
      if (served === undefined) return void response.writeHead(404).end()
      served.then(
        (body) =>
          response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" }).end(body),
        () => response.writeHead(404).end("no such page")
      )
    })
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resolve({ url: `http://127.0.0.1:${port}${base}`, close: () => server.close() })
    })
  })
