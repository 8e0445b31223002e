import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, FileSystem, Layer, Path } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { Marked } from "marked"

/** Ports tried in this order: a steady address, so that crawling again finds the same pages. */
const ports = [47400, 47401, 47402, 47403, 47404]

/** The page crawling begins at. */
export const firstPage = "/README.html"

/** Reads the project's own Markdown, rendered to HTML, by path. */
const renderDocs = Effect.fnUntraced(function* (root: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const pages = new Map<string, string>()
  const marked = new Marked({
    walkTokens: (token) => {
      if (token.type === "link") token.href = token.href.replace(/\.md(?=$|#)/, ".html")
    }
  })
  const inFolders = yield* Effect.forEach(["docs", "examples"], (folder) =>
    Effect.map(files.readDirectory(path.join(root, folder), { recursive: true }), (found) =>
      found.map((name) => path.join(folder, name))
    )
  )
  const names = [...(yield* files.readDirectory(root)), ...inFolders.flat()]
  for (const file of names.filter((name) => name.endsWith(".md"))) {
    const source = yield* files.readFileString(path.join(root, file))
    const title = /^# (.+)$/m.exec(source)?.[1] ?? file
    const body = marked.parse(source, { async: false })
    pages.set(
      `/${file.replaceAll("\\", "/").replace(/\.md$/, ".html")}`,
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>${body}</body></html>`
    )
  }
  return pages
})

/** Serves the project's documentation on loopback for the scope; answers its base URL. */
export const serveDocs = Effect.fnUntraced(function* (root: string) {
  const pages = yield* renderDocs(root)
  const route = HttpRouter.add("GET", "/*", (request) => {
    const page = pages.get(new URL(request.url, "http://docs").pathname)
    return Effect.succeed(
      page === undefined ? HttpServerResponse.text("no such page", { status: 404 }) : HttpServerResponse.html(page)
    )
  })
  const listen = (port: number) =>
    Layer.build(
      HttpRouter.serve(route, { disableLogger: true, disableListenLog: true }).pipe(
        Layer.provide(NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" }))
      )
    ).pipe(Effect.as(`http://127.0.0.1:${port}`))
  return yield* Effect.firstSuccessOf(ports.map(listen))
})
