import { cpSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs"
import { request as httpRequest } from "node:http"
import { join } from "node:path"
import { createGzip } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { crawlHistory, makeSite, Simulator } from "@sluice/testkit"
import { Deferred, Effect, Redacted } from "effect"
import { assertRefused, directory, run, start } from "./Cli.ts"
import { serveHttp } from "./Site.ts"

const pipeline = `name: quotes
source:
  crawl: { url: "https://site.test/", limit: 40 }
sinks:
  - postgres: {}
  - directory: { path: ./lake }
vault: { directory: {} }
`

/** A home with a pipeline file, an empty directory elsewhere, and an API whose crawl ends at once or takes a few polls. */
const setUp = Effect.fnUntraced(function* (options: { readonly ends: boolean }) {
  const isRead = yield* Deferred.make<void>()
  const site = makeSite({ pages: 40 })
  const simulator = yield* Simulator.make({
    site,
    crawl: () => crawlHistory(site, { perPoll: options.ends ? 40 : 8 }),
    onRequest: ({ method }) => (method === "GET" ? Effect.asVoid(Deferred.succeed(isRead, undefined)) : Effect.void)
  })
  const root = yield* directory
  const home = join(root, "home")
  const elsewhere = join(root, "elsewhere")
  for (const path of [home, elsewhere]) mkdirSync(path)
  writeFileSync(join(home, "quotes.yaml"), pipeline)
  const env = {
    SCRAPER_API_BASE_URL: yield* compressed(simulator.baseUrl),
    GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
  }
  return { isRead: Deferred.await(isRead), posts: () => simulator.charges.received("POST"), root, home, elsewhere, env }
})

/** An API behind a proxy that compresses every answer, though nobody asks it to. */
const compressed = (baseUrl: string) =>
  serveHttp((request, response) => {
    const passOn = httpRequest(
      new URL(request.url ?? "/", baseUrl),
      { method: request.method, headers: request.headers },
      (answer) => {
        const { "content-length": _, ...headers } = answer.headers
        response.writeHead(answer.statusCode ?? 502, { ...headers, "content-encoding": "gzip" })
        answer.pipe(createGzip()).pipe(response)
      }
    )
    passOn.on("error", () => response.destroy())
    request.pipe(passOn)
  })

const receiptOf = ({ code, stderr, stdout }: { code: number | null; stderr: string; stdout: string }): Receipt => {
  assert.strictEqual(code, 0, stderr)
  return JSON.parse(stdout)
}

describe("a run", { concurrent: true }, () => {
  it.live(
    "that was interrupted is found again from wherever it is run, and all it writes is beside the file",
    () =>
      Effect.gen(function* () {
        const { elsewhere, env, home, isRead, posts, root } = yield* setUp({ ends: false })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const running = yield* start(["run", "home/quotes.yaml", "--json"], { cwd: root, env })
            yield* isRead
            running.signal("SIGKILL")
          })
        )
        const receipt = receiptOf(yield* run(["run", join(home, "quotes.yaml"), "--json"], { cwd: elsewhere, env }))
        assert.deepInclude(receipt, { status: "completed" })
        assert.strictEqual(receipt.pages.delivered, 40)
        assert.strictEqual(posts(), 1)
        const listed = yield* run(["runs", "../home/quotes.yaml", "--json"], { cwd: elsewhere, env })
        assert.strictEqual(JSON.parse(listed.stdout).length, 1)
        const rows = yield* run(["query", "--json", "SELECT count(*) FROM pages"], {
          cwd: elsewhere,
          env: { SLUICE_HOME: home }
        })
        assert.deepStrictEqual(JSON.parse(rows.stdout), [{ count: 40 }])
        for (const path of [".sluice/postgres", ".sluice/vault", "lake"])
          assert.isTrue(existsSync(join(home, path)), path)
        for (const path of [elsewhere, root]) assert.isFalse(existsSync(join(path, ".sluice")), path)
      }),
    180_000
  )

  it.live(
    "whose state an earlier version left in the working directory goes on with it, unless there is another beside the file",
    () =>
      Effect.gen(function* () {
        const { elsewhere, env, home, posts } = yield* setUp({ ends: true })
        const file = join(home, "quotes.yaml")
        const first = receiptOf(yield* run(["run", file, "--json"], { cwd: home, env }))
        // As an earlier version would have left it.
        renameSync(join(home, ".sluice"), join(elsewhere, ".sluice"))
        renameSync(join(home, "lake"), join(elsewhere, "lake"))
        const audited = yield* run(["audit", first.run_id, file], { cwd: elsewhere, env })
        assert.strictEqual(audited.code, 0, audited.stderr)
        assert.match(
          audited.stderr,
          /^sluice: using \S*elsewhere\/\.sluice\/postgres, which an earlier version left in the working directory; move \S*elsewhere\/\.sluice into \S*home, so that it is found from everywhere\n$/
        )
        assert.isFalse(existsSync(join(home, ".sluice")))
        cpSync(join(elsewhere, ".sluice"), join(home, ".sluice"), { recursive: true })
        const both = yield* run(["run", file], { cwd: elsewhere, env })
        assertRefused(
          both,
          2,
          /home\/quotes\.yaml: runs of pipeline "quotes" may be in \S*home\/\.sluice\/postgres \(beside the file\) and in \S*elsewhere\/\.sluice\/postgres \(in the working directory, where earlier versions kept them\): remove or move one of them, or set SLUICE_HOME/
        )
        assert.strictEqual(posts(), 1)
        // From anywhere else, and where SLUICE_HOME says which, there is no question.
        const named = { cwd: elsewhere, env: { ...env, SLUICE_HOME: elsewhere } }
        for (const options of [{ cwd: home, env }, named]) {
          const { code, stderr } = yield* run(["runs", file], options)
          assert.deepStrictEqual([code, stderr], [0, ""])
        }
        // What the working directory holds of other pipelines is no question either.
        writeFileSync(file, pipeline.replace("quotes", "others"))
        const other = yield* run(["runs", file], { cwd: elsewhere, env })
        assert.deepStrictEqual([other.code, other.stderr], [0, ""])
      }),
    180_000
  )
})
