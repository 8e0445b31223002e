import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { directory, type Running, run, start } from "../../apps/runner/test/Cli.ts"
import { type TestDatabase, testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { startSimulator } from "../e2e/SimulatorProcess.ts"

const isLong = process.env.SLUICE_LONG_TESTS !== undefined
/** How many workers are killed, and how long each has before it is. */
const kills = isLong ? 30 : 4
const lifeMs = 1000
const workers = 3

const pipelines = [
  { name: "alpha", overlap: "skip" },
  { name: "beta", overlap: "queue" },
  { name: "gamma", overlap: "skip" },
  { name: "delta", overlap: "queue" }
] as const

interface TickRow {
  readonly pipeline: string
  readonly due_at: string
  readonly state: string
  readonly run_id: string
  readonly status: string | null
}

const ticksOf = (database: TestDatabase) =>
  database.rows<TickRow>(
    `SELECT t.pipeline, t.due_at, t.state, t.run_id::text, r.status FROM ticks t LEFT JOIN runs r USING (run_id)
     ORDER BY t.pipeline, t.due_at`
  )

/** Repeats a question until the answer will do. */
const until = <A>(question: Effect.Effect<A>, isEnough: (answer: A) => boolean) =>
  Effect.repeat(question, {
    schedule: Schedule.spaced("100 millis"),
    until: isEnough
  })

/** How long runs waited that a worker took over from one that was killed, in milliseconds, by what the workers log. */
const takeovers = (logs: ReadonlyArray<string>, killedAt: ReadonlyArray<number>): ReadonlyArray<number> =>
  logs
    .flatMap((log) => log.split("\n"))
    .filter((line) => line.includes("is taken over from"))
    .flatMap((line) => {
      const at = Date.parse(/"timestamp":"([^"]+)"/.exec(line)?.[1] ?? "")
      const before = killedAt.filter((kill) => kill <= at).at(-1)
      return before === undefined ? [] : [at - before]
    })
    .sort((a, b) => a - b)

describe("workers that share a database", () => {
  it.live(
    "run each tick once, and end each run, while one of them after the other is killed",
    () =>
      Effect.gen(function* () {
        const simulator = yield* startSimulator(["--pages", "40", "--growth", "8", "--seed", "5"])
        const database = yield* testDatabase()
        const cwd = yield* directory
        mkdirSync(join(cwd, "pipelines"))
        for (const [at, { name, overlap }] of pipelines.entries())
          writeFileSync(
            join(cwd, "pipelines", `${name}.yaml`),
            `name: ${name}
schedule: { cron: "*/3 * * * * *", overlap: ${overlap} }
source: { crawl: { url: "${simulator.site}", limit: ${20 + at} } }
sinks: [ { postgres: { url: $DATABASE_URL, mode: replace } } ]
`
          )
        const env = {
          DATABASE_URL: database.url,
          SCRAPER_API_BASE_URL: simulator.baseUrl,
          GEONODE_SCRAPER_API_KEY: simulator.apiKey
        }
        const logs: Array<() => string> = []
        const startWorker = start(["worker", "pipelines", "--poll", "300ms", "--lease", "5s", "--concurrency", "4"], {
          cwd,
          env
        }).pipe(Effect.tap((worker) => Effect.sync(() => logs.push(worker.stderr))))
        let alive: ReadonlyArray<Running> = yield* Effect.forEach(Array.from({ length: workers }), () => startWorker)
        yield* until(
          Effect.sync(() => logs.some((log) => log().includes("serving"))),
          (isServing) => isServing
        )
        yield* until(ticksOf(database), (ticks) => ticks.some(({ status }) => status !== null))

        const killedAt: Array<number> = []
        for (let kill = 0; kill < kills; kill++) {
          yield* Effect.sleep(lifeMs)
          const [oldest, ...others] = alive
          oldest!.signal("SIGKILL")
          killedAt.push(Date.now())
          alive = [...others, yield* startWorker]
        }
        // Every pipeline has begun a run since the last kill, which takes over what the killed worker left.
        const last = new Date(killedAt.at(-1)!).toISOString()
        yield* until(ticksOf(database), (ticks) =>
          pipelines.every(({ name }) =>
            ticks.some(({ due_at, pipeline, status }) => pipeline === name && due_at > last && status === "completed")
          )
        )
        for (const worker of alive) worker.signal("SIGTERM")
        for (const worker of alive) assert.strictEqual((yield* worker.finished).code, 0, worker.stderr())

        // What the drain gave up is resumed by the next command.
        const open = yield* database.rows<{ pipeline: string; holder: string | null }>(
          "SELECT pipeline, holder FROM runs WHERE finished_at IS NULL"
        )
        for (const { holder, pipeline } of open) {
          assert.isNull(holder, `the run of ${pipeline} is still held`)
          const { code, stderr } = yield* run(["run", `pipelines/${pipeline}.yaml`], { cwd, env })
          assert.strictEqual(code, 0, stderr)
        }

        const runs = yield* database.rows<{ run_id: string; pipeline: string; status: string; pages: number }>(
          "SELECT run_id::text, pipeline, status, (receipt->'pages'->>'delivered')::int AS pages FROM runs"
        )
        const ticks = yield* ticksOf(database)
        const begun = ticks.filter(({ status }) => status !== null)
        assert.sameMembers(
          begun.map(({ run_id }) => run_id),
          runs.map(({ run_id }) => run_id)
        )
        for (const { pages, pipeline, run_id, status } of runs) {
          assert.strictEqual(status, "completed", run_id)
          assert.strictEqual(pages, 20 + pipelines.findIndex(({ name }) => name === pipeline), run_id)
        }
        const books = yield* simulator.books
        assert.lengthOf(books.jobs, runs.length)
        assert.strictEqual(books.requests.filter(({ method }) => method === "POST").length, runs.length)
        for (const { due_at, pipeline, state } of ticks) {
          if (state === "due") assert.isTrue(due_at > last, `the tick of ${pipeline} at ${due_at} is still due`)
          else assert.include(["begun", "skipped"], state)
        }
        for (const { name } of pipelines) {
          const [rows] = yield* database.rows<{ pages: number; urls: number }>(
            `SELECT count(*)::int AS pages, count(DISTINCT url)::int AS urls FROM current_pages WHERE pipeline = '${name}'`
          )
          const expected = 20 + pipelines.findIndex((each) => each.name === name)
          assert.deepStrictEqual(rows, { pages: expected, urls: expected })
        }
        const waits = takeovers(
          logs.map((log) => log()),
          killedAt
        )
        const quantile = (share: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? 0
        process.stdout.write(
          `${runs.length} runs of ${ticks.length} ticks, ${kills} kills, ${waits.length} takeovers: p50 ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms after a kill\n`
        )
      }),
    240_000
  )

  // A minute: only with SLUICE_LONG_TESTS.
  it.live.runIf(isLong)(
    "are restarted one after the other: no run is started more than three times, nor read again from its beginning",
    () =>
      Effect.gen(function* () {
        const pages = 400
        const simulator = yield* startSimulator(["--pages", `${pages}`, "--growth", "5", "--seed", "6"])
        const database = yield* testDatabase()
        const cwd = yield* directory
        const names = Array.from({ length: 12 }, (_, at) => `long-${at}`)
        for (const [at, name] of names.entries())
          writeFileSync(
            join(cwd, `${name}.yaml`),
            `name: ${name}
schedule: { cron: "*/2 * * * * *", overlap: skip }
source: { crawl: { url: "${simulator.site}", limit: ${pages - at} } }
sinks: [ { postgres: { url: $DATABASE_URL, mode: merge } } ]
`
          )
        const env = {
          DATABASE_URL: database.url,
          SCRAPER_API_BASE_URL: simulator.baseUrl,
          GEONODE_SCRAPER_API_KEY: simulator.apiKey
        }
        const startWorker = start(["worker", ".", "--poll", "500ms", "--concurrency", "12"], { cwd, env })
        const open = database.rows<{ run_id: string; epoch: number }>(
          "SELECT run_id::text, epoch FROM runs WHERE finished_at IS NULL"
        )
        let alive: ReadonlyArray<Running> = yield* Effect.forEach(Array.from({ length: workers }), () => startWorker)
        yield* until(
          Effect.sync(() => alive.some((worker) => worker.stderr().includes("serving"))),
          (isServing) => isServing
        )
        yield* until(open, (runs) => runs.length === names.length)
        for (let restart = 0; restart < workers; restart++) {
          const [oldest, ...others] = alive
          oldest!.signal("SIGTERM")
          assert.strictEqual((yield* oldest!.finished).code, 0)
          alive = [...others, yield* startWorker]
          yield* Effect.sleep(4000)
        }
        const runs = yield* database.rows<{ epoch: number }>(
          "SELECT epoch FROM runs WHERE run_id IN (SELECT run_id FROM runs ORDER BY started_at LIMIT 12)"
        )
        const starts = runs.map(({ epoch }) => epoch)
        process.stdout.write(`starts of ${starts.length} runs in a rolling restart: ${starts.join(" ")}\n`)
        assert.isAtMost(Math.max(...starts), 3)
        assert.isAtMost(starts.reduce((sum, each) => sum + each, 0) / starts.length, 2)
        for (const worker of alive) worker.signal("SIGTERM")
        for (const worker of alive) yield* worker.finished
      }),
    240_000
  )
})
