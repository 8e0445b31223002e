import { assert, describe, it } from "@effect/vitest"
import { isTerminal } from "@sluice/contract"
import { Effect, Exit, Layer, Option, Redacted, Scope } from "effect"
import { serve } from "../src/index.ts"
import { ScraperStartError, ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { StateStore } from "../src/state/StateStore.ts"
import { commandProcess } from "./ServerProcess.ts"
import { administer, cutConnections, testDatabase } from "./TestDatabase.ts"
import { addsUp, clientOf, endOf, rowsOf, stateDirectory, statusOf, until } from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

/** Where a state is kept, and what tells a command so. */
interface Place {
  readonly config: { readonly stateDir?: string; readonly stateUrl?: Redacted.Redacted<string> }
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

const inDirectory = Effect.map(
  stateDirectory,
  (stateDir): Place => ({ config: { stateDir }, args: ["--state-dir", stateDir], env: {} })
)
const inPostgres = Effect.map(
  testDatabase,
  (url): Place => ({ config: { stateUrl: Redacted.make(url) }, args: [], env: { SCRAPER_STATE_URL: url } })
)

/** Opens a state as a server would. */
const open = ({ config }: Place) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    const settings = Layer.succeed(ServerSettings, withDefaults({ apiKeys: [], stateRetryMs: 2000, ...config }))
    const layer = Layer.fresh(StateStore.layer).pipe(Layer.provide(settings))
    const context = yield* Layer.build(layer).pipe(Scope.provide(scope))
    return { state: yield* Effect.provide(StateStore, context), close: Scope.close(scope, Exit.void) }
  })

const text = "{}\u00e4\u{1f600}\u2028\\u0000"

for (const [name, place] of [
  ["a directory", inDirectory],
  ["Postgres", inPostgres]
] as const) {
  describe(`state in ${name}`, () => {
    it.live("gives back what was written, and after a restart too", () =>
      Effect.gen(function* () {
        const here = yield* place
        const first = yield* open(here)
        yield* first.state.write("crawl/a/job.json", "old")
        yield* first.state.write("crawl/a/job.json", text)
        yield* first.state.prepare("crawl/b")
        yield* first.state.append("crawl/b/log.jsonl", "1\n2\n")
        const offset = yield* first.state.sizeOf("crawl/b/log.jsonl")
        yield* first.state.append("crawl/b/log.jsonl", `${text}\n`)
        yield* first.state.sync("crawl/b/log.jsonl")
        yield* first.state.append("crawl/b/log.jsonl", "4\n")
        const check = Effect.fnUntraced(function* (state: typeof first.state) {
          assert.deepStrictEqual(yield* state.read("crawl/a/job.json"), Option.some(text))
          assert.deepStrictEqual(yield* state.read("crawl/a/none.json"), Option.none())
          assert.deepStrictEqual(yield* state.readLines("crawl/b/log.jsonl"), ["1", "2", text, "4"])
          assert.deepStrictEqual(yield* state.readLines("crawl/b/none.jsonl"), [])
          const size = Buffer.byteLength(text) + 1
          assert.strictEqual(yield* state.readAppended("crawl/b/log.jsonl", offset, size), `${text}\n`)
          assert.strictEqual(yield* state.sizeOf("crawl/b/log.jsonl"), offset + size + 2)
          assert.strictEqual(yield* state.sizeOf("crawl/b/none.jsonl"), 0)
          assert.strictEqual(yield* state.bytesIn("crawl/b"), offset + size + 2)
          assert.strictEqual(yield* state.bytesIn("crawl"), offset + size + 2 + Buffer.byteLength(text))
          assert.strictEqual(yield* state.bytesIn("none"), 0)
        })
        yield* check(first.state)
        yield* first.close
        const second = yield* open(here)
        yield* check(second.state)
        yield* second.state.write("crawl/b/log.jsonl", "9\n")
        yield* second.state.append("crawl/b/log.jsonl", "10\n")
        assert.deepStrictEqual(yield* second.state.readLines("crawl/b/log.jsonl"), ["9", "10"])
        yield* second.state.probe
      })
    )

    it.live("lists what is in a folder, and deletes just that", () =>
      Effect.gen(function* () {
        const { state } = yield* open(yield* place)
        for (const path of ["crawl/a/job.json", "crawl/ab/job.json", "crawl/c/x/job.json", "crawls/d/job.json"]) {
          yield* state.prepare(path.slice(0, path.lastIndexOf("/")))
          yield* state.write(path, path)
        }
        yield* state.append("crawl/a/log.jsonl", "1\n")
        const sorted = (folder: string) =>
          Effect.map(state.records(folder, "job.json"), (all) => [...all].sort(([a], [b]) => (a < b ? -1 : 1)))
        const job = (id: string) => [id, Option.some(`crawl/${id}/job.json`)] as const
        assert.deepStrictEqual(yield* sorted("crawl"), [job("a"), job("ab"), ["c", Option.none()]])
        assert.deepStrictEqual(yield* sorted("nothing"), [])
        yield* state.remove("crawl/a")
        yield* state.remove("crawl/a")
        assert.deepStrictEqual(yield* sorted("crawl"), [job("ab"), ["c", Option.none()]])
        yield* state.remove("crawl")
        assert.deepStrictEqual(yield* sorted("crawl"), [])
        assert.lengthOf(yield* sorted("crawls"), 1)
      })
    )

    it.live("is one server's alone", () =>
      Effect.gen(function* () {
        const here = yield* place
        const first = yield* open(here)
        const error = yield* Effect.flip(open(here))
        assert.instanceOf(error, ScraperStartError)
        assert.match(error.message, /in use/)
        yield* first.close
        yield* open(here)
      })
    )

    it.live("outlives kill -9: no ended page is fetched again, and nothing is counted twice", () =>
      Effect.gen(function* () {
        const here = yield* place
        const slow = gate(page("slow", "/last"))
        const names = ["/p1", "/p2", "/p3"]
        const site = yield* testSite({
          "/": page("home", ...names, "/slow"),
          ...Object.fromEntries(names.map((each) => [each, page(each)])),
          "/slow": slow.route,
          "/last": page("last")
        })
        const first = yield* commandProcess(here.args, here.env)
        const before = yield* clientOf(first.baseUrl)
        const { job_id } = yield* before.crawl.createCrawl({ payload: { url: site.url("/"), depth: 3 } })
        yield* until(statusOf(before, job_id), (job) => job.completed_pages === 4 && site.hits("/slow") === 1)
        assert.strictEqual(yield* first.end("SIGKILL"), "SIGKILL")

        slow.open()
        const second = yield* commandProcess(here.args, here.env)
        const client = yield* clientOf(second.baseUrl)
        const job = yield* endOf(client, job_id)
        assert.deepStrictEqual(
          rowsOf(job),
          ["/", ...names, "/slow", "/last"].map((path) => `${path} completed`)
        )
        assert.isTrue(addsUp(job))
        assert.deepStrictEqual(["/", ...names, "/slow", "/last"].map(site.hits), [1, 1, 1, 1, 2, 1])
        const statistics = yield* client.statistics.getStatistics({ query: {} })
        assert.deepInclude(statistics, { extraction_count: 6, period_tokens_used: 6 })
        const url = here.env.SCRAPER_STATE_URL
        if (url !== undefined) {
          assert.notInclude(first.output() + second.output(), url)
        }
      })
    )
  })
}

describe("state in Postgres whose connections are cut", () => {
  it.live("goes on: no job fails, no page is lost or fetched again", () =>
    Effect.gen(function* () {
      const url = yield* testDatabase
      const names = Array.from({ length: 30 }, (_, n) => `/p${n}`)
      const site = yield* testSite(Object.fromEntries(names.map((each) => [each, page(each)])))
      const { baseUrl } = yield* serve({
        apiKeys: [Redacted.make("first-key")],
        stateUrl: Redacted.make(url),
        allowPrivateTargets: true,
        hostDelayMs: 20
      })
      const client = yield* clientOf(baseUrl)
      const { job_id } = yield* client.batch.createBatch({ payload: { urls: names.map(site.url) } })
      const status = client.batch.getBatch({ params: { job_id }, query: { page_size: 50 } })
      for (const done of [2, 10, 20]) {
        yield* until(status, (job) => job.completed_urls >= done)
        yield* cutConnections(url)
      }
      const job = yield* until(status, (each) => isTerminal(each.status))
      assert.deepInclude(job, { status: "completed", completed_urls: 30, failed_urls: 0 })
      assert.isTrue(job.results.every((row) => row.data?.markdown?.startsWith("# ")))
      assert.isTrue(names.every((each) => site.hits(each) === 1))
    })
  )

  it.live("is refused to a server that another has taken it from", () =>
    Effect.gen(function* () {
      const url = yield* testDatabase
      const place: Place = { config: { stateUrl: Redacted.make(url) }, args: [], env: {} }
      const first = yield* open(place)
      yield* first.state.write("a", "first")
      // As if another server had held it while this one was cut off.
      yield* administer(url, "UPDATE sluice_scraper.holder SET epoch = epoch + 1")
      const error = yield* Effect.flip(first.state.write("a", "late"))
      assert.match(String(error.cause), /taken over/)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(first.state.append("b", "late\n"))))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(first.state.remove("a"))))
      assert.deepStrictEqual(yield* first.state.read("a"), Option.some("first"))
    })
  )

  it.live("names what is wrong with a database, and never its URL", () =>
    Effect.gen(function* () {
      const newer = yield* testDatabase
      const place = (url: string): Place => ({ config: { stateUrl: Redacted.make(url) }, args: [], env: {} })
      const first = yield* open(place(newer))
      yield* first.close
      yield* administer(newer, "INSERT INTO sluice_scraper.migration (id) VALUES (1000)")
      assert.match((yield* Effect.flip(open(place(newer)))).message, /newer version/)
      for (const url of ["postgres://me:secret@127.0.0.1:9/none", "postgres://me:secret@[nonsense"]) {
        const error = yield* Effect.flip(open(place(url)))
        assert.match(error.message, /^The state database cannot be used/)
        assert.notInclude(JSON.stringify(error) + String(error) + String(error.stack), "secret")
      }
    })
  )
})
