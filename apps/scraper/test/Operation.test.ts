import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { serve } from "../src/index.ts"
import { schemaNamed } from "./OpenApiDocument.ts"
import { commandProcess } from "./ServerProcess.ts"
import {
  clientOf,
  crawl,
  endOf,
  keys,
  raw,
  stateDirectory,
  statusOf,
  stoppable,
  testServer,
  until
} from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

const isHealth = schemaNamed("Health")
const json = { "content-type": "application/json", "x-api-key": keys[0] }

/** Asks for a page over a connection of its own, and answers the bare response. */
const extract = (baseUrl: string, url: string) =>
  raw(`${baseUrl}/v1/extract`, { method: "POST", headers: json, body: JSON.stringify({ url }) })

describe("SIGTERM", () => {
  it.live("lets what is being answered end, takes nothing new, and leaves open jobs to be resumed", () =>
    Effect.gen(function* () {
      const [open, closed] = [gate(page("slow")), gate(page("never"))]
      const site = yield* testSite({ "/slow": open.route, "/never": closed.route, "/": page("home", "/never") })
      const stateDir = yield* stateDirectory
      const first = yield* commandProcess(["--state-dir", stateDir])
      const client = yield* clientOf(first.baseUrl)
      const { job_id } = yield* client.crawl.createCrawl({ payload: { url: site.url("/") } })
      yield* until(statusOf(client, job_id), (job) => job.completed_pages === 1 && site.hits("/never") === 1)
      const answering = yield* Effect.forkChild(extract(first.baseUrl, site.url("/slow")))
      yield* until(
        Effect.sync(() => site.hits("/slow")),
        (hits) => hits === 1
      )
      const ending = yield* Effect.forkChild(first.end("SIGTERM"))
      // The connections of the client are kept: what it asks over one is refused, and a new one is not taken.
      yield* until(
        Effect.promise(() =>
          fetch(`${first.baseUrl}/v1/usage`, { headers: json }).then(
            (_) => _.status,
            () => 0
          )
        ),
        (status) => status === 503 || status === 0
      )
      open.open()
      assert.strictEqual((yield* Fiber.join(answering)).status, 200)
      assert.strictEqual(yield* Fiber.join(ending), 0)

      closed.open()
      const second = yield* commandProcess(["--state-dir", stateDir])
      const job = yield* endOf(yield* clientOf(second.baseUrl), job_id)
      assert.deepInclude(job, { status: "completed", completed_pages: 2 })
      assert.strictEqual(site.hits("/"), 1)
      assert.notInclude(first.output() + second.output(), keys[0])
    })
  )

  it.live("waits no longer than it may, and not at all once it comes again", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/never": () => undefined })
      const server = yield* commandProcess(["--state-dir", yield* stateDirectory, "--drain-timeout-ms", "60000"])
      yield* Effect.forkChild(Effect.exit(extract(server.baseUrl, site.url("/never"))))
      yield* until(
        Effect.sync(() => site.hits("/never")),
        (hits) => hits === 1
      )
      const ending = yield* Effect.forkChild(server.end("SIGTERM"))
      yield* until(
        Effect.promise(() =>
          fetch(`${server.baseUrl}/health`).then(
            (_) => _.status,
            () => 0
          )
        ),
        (status) => status !== 200
      )
      assert.isTrue(server.isRunning())
      assert.strictEqual(yield* server.end("SIGTERM"), 143)
      assert.strictEqual(yield* Fiber.join(ending), 143)
    })
  )

  it.live("tells those it cuts off that the server is shutting down", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/never": () => undefined })
      const server = yield* stoppable(yield* stateDirectory, { drainTimeoutMs: 200 })
      const asking = yield* Effect.forkChild(extract(server.baseUrl, site.url("/never")))
      yield* until(
        Effect.sync(() => site.hits("/never")),
        (hits) => hits === 1
      )
      yield* server.stop
      const { body, headers, status } = yield* Fiber.join(asking)
      assert.strictEqual(status, 503)
      assert.strictEqual(headers.get("connection"), "close")
      assert.deepInclude(body, { code: "UNAVAILABLE", retryable: true })
      assert.strictEqual(schemaNamed("ErrorResponse")(body), "")
    })
  )

  it.live("is not needed where the server cannot start: it ends with 1 and says why", () =>
    Effect.gen(function* () {
      const stateDir = yield* stateDirectory
      yield* stoppable(stateDir)
      const failed = yield* Effect.flip(commandProcess(["--state-dir", stateDir]))
      assert.match(String(failed), /ended with 1: .*is in use/s)
    })
  )
})

describe("a program that has served", () => {
  it("ends with its work: nothing of the server keeps the process", () => {
    const index = new URL("../src/index.ts", import.meta.url)
    const program = `import { Effect, Redacted } from "effect"
      import { serve } from ${JSON.stringify(index.href)}
      const server = serve({ apiKeys: [Redacted.make("k")], drainTimeoutMs: 60_000, metricsPort: 0 })
      await Effect.runPromise(Effect.scoped(server))`
    const cwd = fileURLToPath(new URL("..", import.meta.url))
    const args = ["--input-type=module", "--eval", program]
    // Well below the time to drain, of which there is nothing to wait for.
    const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8", timeout: 40_000 })
    assert.strictEqual(status, 0, stderr)
  })
})

describe("health", () => {
  it.live("is unavailable while the state cannot be written, and jobs are refused with 503", () =>
    Effect.gen(function* () {
      const stateDir = join(yield* stateDirectory, "state")
      const { baseUrl } = yield* stoppable(stateDir, { healthProbeEveryMs: 0 })
      const health = raw(`${baseUrl}/health`)
      assert.deepInclude((yield* health).body, { status: "ok" })
      // As a disk that is gone: whatever is written fails.
      rmSync(stateDir, { recursive: true })
      writeFileSync(stateDir, "no directory")
      const { body, status } = yield* health
      assert.strictEqual(status, 503)
      assert.deepInclude(body, { status: "unavailable" })
      assert.strictEqual(isHealth(body), "")
      const refused = yield* raw(`${baseUrl}/v1/crawl`, {
        method: "POST",
        headers: json,
        body: JSON.stringify({ url: "http://127.0.0.1:9/" })
      })
      assert.strictEqual(refused.status, 503)
      assert.deepInclude(refused.body, { code: "UNAVAILABLE", retryable: true })
      rmSync(stateDir)
      assert.deepInclude((yield* health).body, { status: "ok" })
    })
  )

  it.live("is degraded while too many jobs wait", () =>
    Effect.gen(function* () {
      const slow = gate(page("slow"))
      const site = yield* testSite({ "/": slow.route })
      const baseUrl = yield* testServer({ maxRunningCrawls: 1, degradedAtQueuedJobs: 2 })
      const client = yield* clientOf(baseUrl)
      const jobs = yield* Effect.replicateEffect(client.crawl.createCrawl({ payload: { url: site.url("/") } }), 3)
      const { body, status } = yield* raw(`${baseUrl}/health`)
      assert.strictEqual(status, 200)
      assert.deepInclude(body, { status: "degraded" })
      slow.open()
      yield* Effect.forEach(jobs, ({ job_id }) => endOf(client, job_id))
      assert.deepInclude((yield* raw(`${baseUrl}/health`)).body, { status: "ok" })
    })
  )
})

const sha256 = (key: string) => createHash("sha256").update(key).digest("hex")

describe("a file of keys", () => {
  it.live("gives each its limits, and holds no key", () =>
    Effect.gen(function* () {
      const file = join(yield* stateDirectory, "keys.json")
      writeFileSync(
        file,
        JSON.stringify({
          keys: [
            { key: `sha256:${sha256("narrow")}`, name: "the nightly run", max_crawl_depth: 1, max_batch_urls: 1 },
            { key: `sha256:${sha256("wide")}`, max_open_jobs: 7, token_balance: 50 }
          ]
        })
      )
      const { baseUrl } = yield* commandProcess(["--state-dir", yield* stateDirectory, "--api-keys-file", file])
      const usage = (key: string) => raw(`${baseUrl}/v1/usage`, { headers: { "x-api-key": key } })
      assert.deepInclude((yield* usage("wide")).body, { max_open_jobs: 7, tokens_left: 50 })
      assert.deepInclude((yield* usage("narrow")).body, { max_open_jobs: 100, tokens_left: null })
      assert.deepInclude((yield* usage(keys[0])).body, { max_open_jobs: 100 })
      assert.strictEqual((yield* usage(sha256("wide"))).status, 401)
      const narrow = yield* clientOf(baseUrl, "narrow")
      const deep = narrow.crawl.createCrawl({ payload: { url: "http://127.0.0.1:9/", depth: 2 } })
      assert.match(String((yield* Effect.flip(deep)).message), /requested 2, plan allows at most 1/)
      const two = narrow.batch.createBatch({ payload: { urls: ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"] } })
      assert.match(String((yield* Effect.flip(two)).message), /requested 2, plan allows at most 1/)
    })
  )

  it.live("is refused with what is wrong with it, and shows none of it", () =>
    Effect.gen(function* () {
      const file = join(yield* stateDirectory, "keys.json")
      const start = Effect.flip(commandProcess(["--state-dir", yield* stateDirectory, "--api-keys-file", file]))
      for (const [text, message] of [
        [undefined, /does not exist/],
        [JSON.stringify({ keys: [{ key: "a-plain-key" }] }), /must be/]
      ] as const) {
        if (text !== undefined) writeFileSync(file, text)
        const output = String(yield* start)
        assert.match(output, message)
        assert.notInclude(output, "a-plain-key")
      }
      const twice = serve({ apiKeys: [Redacted.make("a")], hashedKeys: [{ sha256: sha256("a") }] })
      assert.match((yield* Effect.flip(twice)).message, /twice/)
      assert.match((yield* Effect.flip(serve({ apiKeys: [] }))).message, /At least one/)
    })
  )
})

/** The samples of an exposition, by name and labels. Fails on a line that is none. */
const samplesOf = (text: string): ReadonlyMap<string, number> => {
  const samples = new Map<string, number>()
  for (const line of text.split("\n").slice(0, -1)) {
    if (/^# (HELP|TYPE) [a-z_]+ /.test(line)) continue
    const [, name, value] = /^([a-z_]+(?:\{[a-z_]+="[^"\\]*"(?:,[a-z_]+="[^"\\]*")*\})?) (\S+)$/.exec(line) ?? []
    if (name === undefined) assert.fail(`no sample: ${line}`)
    samples.set(name, Number(value))
  }
  return samples
}

describe("metrics", () => {
  it.live("count what happens, on a port of their own, and name nobody", () =>
    Effect.gen(function* () {
      const site = yield* testSite({ "/": page("home", "/a", "/gone"), "/a": page("a") })
      const { baseUrl, metricsUrl = "" } = yield* serve({
        apiKeys: [Redacted.make(keys[0])],
        allowPrivateTargets: true,
        hostDelayMs: 0,
        metricsPort: 0,
        maxOpenJobsPerKey: 1
      })
      const scrape = Effect.promise(() => fetch(`${metricsUrl}/metrics`).then((_) => _.text()))
      const client = yield* clientOf(baseUrl)
      yield* crawl(client, { url: site.url("/") })
      yield* raw(`${baseUrl}/v1/usage`, { headers: { "x-api-key": "somebody-else" } })
      yield* raw(`${baseUrl}/v1/map`, { method: "POST", headers: json, body: JSON.stringify({ url: site.url("/") }) })
      const text = yield* scrape
      const samples = samplesOf(text)
      const of = (name: string) => samples.get(`sluice_scraper_${name}`)
      assert.strictEqual(of('pages_total{outcome="completed",error_code=""}'), 2)
      assert.strictEqual(of('pages_total{outcome="failed",error_code="HTTP_ERROR"}'), 1)
      assert.strictEqual(of('page_duration_seconds_count{outcome="completed"}'), 2)
      assert.strictEqual(of('jobs_ended_total{kind="crawl",status="completed"}'), 1)
      assert.strictEqual(of('jobs_ended_total{kind="map",status="completed"}'), 1)
      assert.strictEqual(of('jobs_open{kind="crawl",status="processing"}'), 0)
      assert.strictEqual(of('refusals_total{limit="key"}'), 1)
      assert.strictEqual(of('http_requests_total{part="usage",status="401"}'), 1)
      assert.strictEqual(of('http_requests_total{part="crawl",status="202"}'), 1)
      assert.isAbove(of("fetched_bytes_total") ?? 0, 100)
      assert.isAbove(of("resident_memory_bytes") ?? 0, 10_000_000)
      for (const secret of [keys[0], "somebody-else", new URL(site.origin).port, sha256(keys[0]).slice(0, 32)]) {
        assert.notInclude(text, secret)
      }
      // The API has no such route, and the metrics have no other.
      assert.strictEqual((yield* raw(`${baseUrl}/metrics`)).status, 404)
      assert.strictEqual(yield* Effect.promise(() => fetch(`${metricsUrl}/v1/usage`).then((_) => _.status)), 404)
    })
  )

  it.live("tell how late the event loop was since they were last asked for", () =>
    Effect.gen(function* () {
      const { baseUrl, metricsUrl = "" } = yield* serve({ apiKeys: [Redacted.make(keys[0])], metricsPort: 0 })
      // Its clock has begun to tick.
      const startedAt = performance.now()
      yield* until(raw(`${baseUrl}/health`), () => performance.now() > startedAt + 100)
      const longest = Effect.promise(() => fetch(`${metricsUrl}/metrics`).then((_) => _.text())).pipe(
        Effect.map((text) => samplesOf(text).get('sluice_scraper_event_loop_delay_seconds{quantile="1"}') ?? -1)
      )
      const blockedUntil = performance.now() + 1000
      while (performance.now() < blockedUntil) Math.sqrt(blockedUntil)
      const late = yield* longest
      assert.isAbove(late, 0.5)
      assert.isBelow(yield* longest, late)
    })
  )

  it.live("take no more labels however many paths and methods are tried", () =>
    Effect.gen(function* () {
      const { baseUrl, metricsUrl = "" } = yield* serve({ apiKeys: [Redacted.make(keys[0])], metricsPort: 0 })
      const lines = Effect.promise(() => fetch(`${metricsUrl}/metrics`).then((_) => _.text())).pipe(
        Effect.map((text) => text.split("\n").filter((line) => line.includes("http_requests_total{")).length)
      )
      for (const path of ["/a", "/v1/crawl/1", "/v1/nothing", "/v2"]) yield* raw(`${baseUrl}${path}`)
      const before = yield* lines
      for (let n = 0; n < 50; n++) yield* raw(`${baseUrl}/v1/crawl/${n}?x=${n}`)
      for (let n = 0; n < 50; n++) yield* raw(`${baseUrl}/${n}/${n}`)
      assert.strictEqual(yield* lines, before)
    })
  )
})
