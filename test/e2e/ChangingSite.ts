import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { directory, runJson } from "../../apps/runner/test/Cli.ts"
import { page, serveHttp } from "../../apps/runner/test/Site.ts"
import type { TestDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { assertCompleted } from "./Crawled.ts"

/** The site at its nth crawl: a page comes, one changes, one goes, one cannot be fetched and one stands under two addresses. */
const pagesAt = (nth: number): Readonly<Record<string, string>> => ({
  "/": page(
    "home",
    "/stays",
    "/twin",
    "/changes",
    "/missing",
    nth === 1 ? "/goes" : "/comes",
    "https://elsewhere.example/"
  ),
  "/stays": page("stays", "/", "/missing"),
  "/twin": page("stays", "/"),
  "/changes": page(`changed ${nth}`, "/"),
  [nth === 1 ? "/goes" : "/comes"]: page("new", "/")
})

/** Crawls a site twice into a database, by the pipelines `docs` (history) and `merged`; answers the site's origin. */
export const changingSite = Effect.fnUntraced(function* (database: TestDatabase) {
  let pages = pagesAt(1)
  const origin = yield* serveHttp((request, response) => {
    const html = pages[request.url ?? ""]
    response.writeHead(html === undefined ? 404 : 200, { "content-type": "text/html" }).end(html ?? "nothing here")
  })
  const cwd = yield* directory
  const options = { cwd, env: { DATABASE_URL: database.url } }
  for (const [name, mode] of [
    ["merged", "merge"],
    ["docs", "history"]
  ] as const) {
    writeFileSync(
      join(cwd, `${name}.yaml`),
      `name: ${name}
source:
  crawl: { url: "${origin}/", depth: 3, limit: 100 }
sinks:
  - postgres: { url: $DATABASE_URL, mode: ${mode} }
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
    )
  }
  for (const nth of [1, 2]) {
    pages = pagesAt(nth)
    for (const name of ["merged", "docs"]) {
      assertCompleted(yield* runJson<Receipt>(["run", "--json", `${name}.yaml`], options))
    }
  }
  return origin
})
