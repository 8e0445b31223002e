import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { directory, runJson } from "../../apps/runner/test/Cli.ts"
import { servePages } from "../../apps/runner/test/Site.ts"
import { describeInBrowser } from "../../apps/scraper/test/TestBrowser.ts"
import { assertCompleted } from "./Crawled.ts"

/** A page that is empty until its scripts have run, as those of many frameworks are. */
const shell = (text: string, link: string) => `<!doctype html><title>app</title><div id="root"></div><script>
  setTimeout(() => {
    root.innerHTML = "<main><h1>${text}</h1><a href='${link}'>on</a></main>"
  })
</script>`

describeInBrowser("the embedded scraper with a browser", () => {
  it.live(
    "lands what only scripts have made",
    () =>
      Effect.gen(function* () {
        const origin = yield* servePages({ "/": shell("Home of scripts", "/second"), "/second": shell("Second", "/") })
        const cwd = yield* directory
        writeFileSync(
          join(cwd, "sluice.yaml"),
          `name: rendered
source:
  crawl: { url: "${origin}/", depth: 2, limit: 5, render_js: true, wait_config: { wait_for: "main h1" } }
sinks:
  - postgres: {}
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
        )
        assertCompleted(yield* runJson<Receipt>(["run", "--json"], { cwd }))
        const rows = yield* runJson<ReadonlyArray<unknown>>(
          ["query", "--json", "select depth, status, markdown from pages order by depth"],
          { cwd }
        )
        assert.deepStrictEqual(rows, [
          { depth: 1, status: "completed", markdown: `# Home of scripts\n\n[on](${origin}/second)\n` },
          { depth: 2, status: "completed", markdown: `# Second\n\n[on](${origin}/)\n` }
        ])
      }),
    120_000
  )
})
