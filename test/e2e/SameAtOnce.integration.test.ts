import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Deferred, Effect, Schedule } from "effect"
import { directory, type Finished, type Running, runJson, start } from "../../apps/runner/test/Cli.ts"
import { page, serveHttp } from "../../apps/runner/test/Site.ts"
import { testDatabase } from "../../apps/runner/test/TestDatabase.ts"
import { assertCompleted, countRows } from "./Crawled.ts"

const names = Array.from({ length: 12 }, (_, index) => `/page-${index}`)

/** A site that answers nobody until it is opened, and knows how often each page was asked for. */
const heldSite = Effect.gen(function* () {
  const met = yield* Deferred.make<void>()
  const asked = new Map<string, number>()
  let waiting: Array<() => void> | undefined = []
  const origin = yield* serveHttp((request, response) => {
    const path = request.url ?? ""
    const known = path === "/" || names.includes(path)
    const html = page(path, ...(path === "/" ? names : ["/"]))
    const answer = () => void response.writeHead(known ? 200 : 404, { "content-type": "text/html" }).end(html)
    if (!known) return answer()
    asked.set(path, (asked.get(path) ?? 0) + 1)
    Deferred.doneUnsafe(met, Effect.void)
    if (waiting === undefined) answer()
    else waiting.push(answer)
  })
  const open = Effect.sync(() => {
    for (const answer of waiting ?? []) answer()
    waiting = undefined
  })
  return { origin, asked, open, met: Deferred.await(met) }
})

/** The same pipeline, a working directory for each process that runs it. */
const setUp = Effect.fnUntraced(function* (origin: string, databaseUrl: string, whenRunning: string) {
  const cwd = yield* directory
  writeFileSync(
    join(cwd, "sluice.yaml"),
    `name: same
source:
  crawl: { url: "${origin}/", depth: 2, limit: 100 }
sinks:
  - postgres: { url: $DATABASE_URL }
when_running: ${whenRunning}
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
  )
  return { cwd, env: { DATABASE_URL: databaseUrl } }
})

const until = (running: Running, words: string) =>
  Effect.repeat(Effect.sync(running.stderr), {
    schedule: Schedule.spaced("20 millis"),
    until: (said) => said.includes(words)
  })

const receiptOf = ({ code, stderr, stdout }: Finished): Receipt => {
  assert.strictEqual(code, 0, stderr)
  return JSON.parse(stdout)
}

const rows = { pages: 13, links: 24, page_metadata: 13 }

/** The refused process says so in one JSON object; its run has no receipt. */
const assertHalted = ({ code, stdout }: { readonly code: number | null; readonly stdout: string }): void => {
  assert.strictEqual(code, 5)
  assert.deepInclude(JSON.parse(stdout), { status: "halted", exit_code: 5 })
}

describe("two processes that run the same pipeline", { concurrent: true }, () => {
  it.live(
    "refuse the second at once while the first goes on, and pay once",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const site = yield* heldSite
        const [one, other] = yield* Effect.all([
          setUp(site.origin, database.url, "refuse"),
          setUp(site.origin, database.url, "refuse")
        ])
        const first = yield* start(["run", "--json"], one)
        yield* site.met
        const second = yield* Effect.flatMap(start(["run", "--json"], other), ({ finished }) => finished)
        assertHalted(second)
        assert.match(second.stderr, /run \S+ is being carried out by \S+: wait for it to end, or stop it first\n$/)
        yield* site.open
        assertCompleted(receiptOf(yield* first.finished))
        assert.deepStrictEqual(yield* countRows(one), { ...rows, token_summaries: 1 })
        assert.deepStrictEqual([...site.asked.values()], Array(13).fill(1))
        assert.lengthOf(yield* runJson<ReadonlyArray<unknown>>(["runs", "--json"], one), 1)
      }),
    120_000
  )

  it.live(
    "let one of them begin where both are started at once",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const site = yield* heldSite
        const both = yield* Effect.forEach([1, 2], () => setUp(site.origin, database.url, "refuse"))
        const running = yield* Effect.forEach(both, (options) => start(["run", "--json"], options))
        const early = yield* Effect.raceAllFirst(running.map(({ finished }) => finished))
        assertHalted(early)
        yield* site.open
        const ends = yield* Effect.forEach(running, ({ finished }) => finished)
        assert.deepStrictEqual(ends.map(({ code }) => code).toSorted(), [0, 5])
        assert.deepStrictEqual(yield* countRows(both[0]!), { ...rows, token_summaries: 1 })
        assert.lengthOf(yield* runJson<ReadonlyArray<unknown>>(["runs", "--json"], both[0]!), 1)
      }),
    120_000
  )

  it.live(
    "run one after the other where the second waits",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const site = yield* heldSite
        const [one, other] = yield* Effect.all([
          setUp(site.origin, database.url, "wait"),
          setUp(site.origin, database.url, "wait")
        ])
        const first = yield* start(["run", "--json"], one)
        yield* site.met
        const second = yield* start(["run", "--json"], other)
        yield* until(second, "waiting for it to end, 60 minutes at most")
        assert.deepStrictEqual([...site.asked.entries()], [["/", 1]])
        yield* site.open
        const before = receiptOf(yield* first.finished)
        const after = receiptOf(yield* second.finished)
        for (const receipt of [before, after]) assertCompleted(receipt)
        assert.notStrictEqual(before.run_id, after.run_id)
        assert.isAtLeast(Date.parse(after.started_at), Date.parse(before.finished_at))
        assert.deepStrictEqual(yield* countRows(one), { ...rows, token_summaries: 2 })
        assert.deepStrictEqual([...site.asked.values()], Array(13).fill(2))
        const runs = yield* runJson<ReadonlyArray<{ run_id: string; status: string }>>(["runs", "--json"], one)
        assert.deepStrictEqual(
          runs.map(({ run_id, status }) => [run_id, status]),
          [
            [after.run_id, "completed"],
            [before.run_id, "completed"]
          ]
        )
      }),
    120_000
  )
})
