import { createHmac } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { crawlHistory, makeSite, Simulator } from "@sluice/testkit"
import { Effect, Redacted, Schedule } from "effect"
import { assertNoCanaryIn, canary, directory, run, runJson, start } from "./Cli.ts"
import { serveHttp } from "./Site.ts"
import { testDatabase } from "./TestDatabase.ts"

/** Within this time of the next start what was left is delivered: see `deliverWithin`. */
const namedMs = 30_000
const secret = canary.password

interface Received {
  readonly id: string
  readonly event: string
  readonly receipt: Receipt
  readonly at: number
}

/** A receiver that proves the signature of what it is sent, and calls back before and after it answers. */
const receiver = Effect.fnUntraced(function* () {
  const received: Array<Received> = []
  const hooks: { before: () => void; after: () => void } = { before: () => undefined, after: () => undefined }
  const origin = yield* serveHttp(async (request, response) => {
    const body = await text(request)
    const { "webhook-id": id, "webhook-signature": signature, "webhook-timestamp": timestamp } = request.headers
    const expected = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64")
    if (signature !== `v1,${expected}`) return void response.writeHead(401).end()
    received.push({ id: String(id), at: Date.now(), ...JSON.parse(body).data })
    hooks.before()
    response.writeHead(204).end(() => hooks.after())
  })
  return { received, hooks, url: `${origin}/hook` }
})

const pages = 5

/** A pipeline that fails by its expectations until they are taken away, and tells a receiver of it. */
const setUp = Effect.fnUntraced(function* () {
  const site = makeSite({ pages })
  const simulator = yield* Simulator.make({ site, crawl: () => crawlHistory(site, { perPoll: pages }) })
  const database = yield* testDatabase()
  const { hooks, received, url } = yield* receiver()
  const cwd = yield* directory
  const write = ({ expected, first = "" }: { readonly expected: number; readonly first?: string }) =>
    writeFileSync(
      join(cwd, "sluice.yaml"),
      `name: site
source:
  crawl: { url: "https://site.test/" }
sinks:
  - postgres: { url: $DATABASE_URL }
expect: { min_pages: ${expected} }
notify:
${first}  - webhook: { url: $HOOK, secret: $SECRET }
`
    )
  const env = {
    SCRAPER_API_BASE_URL: simulator.baseUrl,
    GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey),
    DATABASE_URL: database.url,
    HOOK: url,
    SECRET: secret
  }
  const options = { cwd, env, alone: true }
  const pending = Effect.map(
    database.rows<{ event: string }>("SELECT event FROM notices WHERE settled_at IS NULL ORDER BY event"),
    (rows) => rows.map(({ event }) => event)
  )
  const hasJob = Effect.map(
    database.rows("SELECT job_id FROM submissions WHERE job_id IS NOT NULL"),
    (rows) => rows.length > 0
  )
  /** Everything delivered was so: its run ended with that status in the ledger. */
  const assertTrue = Effect.gen(function* () {
    const runs = yield* database.rows<{ run_id: string; status: string }>("SELECT run_id::text, status FROM runs")
    for (const { event, receipt } of received) {
      const status = runs.find(({ run_id }) => run_id === receipt.run_id)?.status
      assert.strictEqual(status, event === "recovered" ? "completed" : event)
    }
  })
  return { simulator, write, options, received, hooks, pending, hasJob, assertTrue }
})

describe("a process that is killed", { concurrent: true }, () => {
  it.live(
    "after its run has ended and before anybody was told: told beside the next run, within the named time",
    () =>
      Effect.gen(function* () {
        const { assertTrue, options, pending, received, write } = yield* setUp()
        write({ expected: 1_000, first: `  - command: [sh, -c, "kill -9 $$PPID"]\n` })
        const killed = yield* start(["run", "--json"], options)
        assert.strictEqual((yield* killed.finished).code, null)
        assert.deepStrictEqual(yield* pending, ["failed", "failed"])
        assert.deepStrictEqual(received, [])

        write({ expected: 1, first: `  - command: [sh, -c, "cat > told.json"]\n` })
        const startedAt = Date.now()
        const receipt = yield* runJson<Receipt>(["run", "--json"], options)
        assert.deepStrictEqual(
          received.map(({ event }) => event),
          ["failed", "recovered"]
        )
        assert.isBelow(received[0]!.at - startedAt, namedMs)
        assert.strictEqual(received[1]!.receipt.run_id, receipt.run_id)
        assert.deepStrictEqual(received[1]!.receipt, receipt)
        assert.deepStrictEqual(yield* pending, [])
        yield* assertTrue
        assertNoCanaryIn(options.cwd)
      }).pipe(Effect.scoped),
    120_000
  )

  for (const step of ["before", "after"] as const) {
    it.live(
      `${step} the receiver has answered: told again under the same ID, or settled`,
      () =>
        Effect.gen(function* () {
          const { assertTrue, hooks, options, pending, received, write } = yield* setUp()
          write({ expected: 1_000 })
          const killed = yield* start(["run", "--json"], options)
          hooks[step] = () => killed.signal("SIGKILL")
          yield* killed.finished
          hooks[step] = () => undefined
          assert.lengthOf(received, 1)
          const left = yield* pending
          if (step === "before") assert.deepStrictEqual(left, ["failed"])

          write({ expected: 1 })
          yield* runJson(["run", "--json"], options)
          const events = received.map(({ event }) => event)
          assert.deepStrictEqual(events, [...left.map(() => "failed"), "failed", "recovered"])
          assert.strictEqual(new Set(received.map(({ id }) => id)).size, 2)
          assert.deepStrictEqual(yield* pending, [])
          yield* assertTrue
        }).pipe(Effect.scoped),
      120_000
    )
  }

  it.live(
    "before its run has ended: nobody is told that it failed, and the run that resumes it completes",
    () =>
      Effect.gen(function* () {
        const { hasJob, options, pending, received, simulator, write } = yield* setUp()
        write({ expected: 1_000 })
        const killed = yield* start(["run", "--json"], options)
        // The job has been asked for: the run is under way.
        yield* Effect.repeat(
          Effect.sync(() => simulator.charges.received("POST")),
          { until: (posts) => posts > 0, schedule: Schedule.spaced("10 millis") }
        )
        // A lost answer would be waited for.
        yield* Effect.repeat(hasJob, { until: (has) => has, schedule: Schedule.spaced("10 millis") })
        killed.signal("SIGKILL")
        yield* killed.finished
        write({ expected: 1 })
        yield* runJson(["run", "--json"], options)
        assert.deepStrictEqual(received, [])
        assert.deepStrictEqual(yield* pending, [])
      }).pipe(Effect.scoped),
    120_000
  )
})

it.live(
  "a receiver that is down fails no run: its notice waits; files tell of the run",
  () =>
    Effect.gen(function* () {
      const { options, pending, received, write } = yield* setUp()
      write({ expected: 1_000, first: `  - command: [sh, -c, "exit 3"]\n` })
      const files = ["--health-file", "health.json", "--metrics-file", "sluice.prom"]
      const { code, stderr } = yield* run(["run", "--json", ...files], options)
      assert.strictEqual(code, 1)
      assert.match(
        stderr,
        /^sluice: "command" could not be told that run [0-9a-f-]{36} is failed: it ended with exit code 3; the next run tries again$/m
      )
      assert.lengthOf(received, 1)
      assert.deepStrictEqual(yield* pending, ["failed"])
      const health = yield* run(["show", "last", "--json"], options)
      assert.deepInclude(JSON.parse(health.stdout), { status: "failed" })
      const read = (name: string) => Effect.sync(() => readFileSync(join(options.cwd, name), "utf8"))
      assert.deepInclude(JSON.parse(yield* read("health.json")), { status: "failed", healthy: false, pipeline: "site" })
      assert.include(yield* read("sluice.prom"), 'sluice_last_run_status{pipeline="site",status="failed"} 1')
    }).pipe(Effect.scoped),
  120_000
)
