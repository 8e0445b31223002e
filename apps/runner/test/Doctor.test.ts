import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Simulator } from "@sluice/testkit"
import { S3Server } from "@sluice/testkit/s3"
import { Effect, Redacted } from "effect"
import { checkNode } from "../src/doctor/checkMachine.ts"
import type { HealthCheck } from "../src/doctor/HealthCheck.ts"
import { canary, directory, filesIn } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"
import { closedPort, serveHttp } from "./Site.ts"

const setUp = Effect.fnUntraced(function* () {
  const simulator = yield* Simulator.make()
  const bucket = yield* S3Server.make({ secretAccessKey: canary.password })
  yield* bucket.createBucket("lake")
  const cwd = yield* directory
  const file = join(cwd, "site.yaml")
  writeFileSync(
    file,
    `name: site
source: { crawl: { url: "https://site.test/", limit: 5 } }
sinks:
  - s3: { bucket: lake, endpoint: "${bucket.endpoint}", region: ${bucket.region}, access_key_id: ${bucket.accessKeyId}, secret_access_key: $SECRET }
  - directory: { path: ./lake }
`
  )
  const env = {
    SECRET: canary.password,
    SCRAPER_API_BASE_URL: simulator.baseUrl,
    GEONODE_SCRAPER_API_KEY: Redacted.value(simulator.apiKey)
  }
  const doctor = (args: ReadonlyArray<string>, variables: Readonly<Record<string, string>> = env) =>
    Effect.map(inProcess(["doctor", ...args, "--json"], variables), ({ code, stderr, stdout }) => {
      assert.strictEqual(stderr, "")
      assert.notInclude(stdout, canary.password)
      const { checks, ok }: { ok: boolean; checks: ReadonlyArray<HealthCheck> } = JSON.parse(stdout)
      assert.strictEqual(code, ok ? 0 : 1)
      return new Map(Map.groupBy(checks, ({ name }) => name))
    })
  return { simulator, bucket, cwd, file, env, doctor }
})

describe("doctor", { concurrent: true }, () => {
  it.live("finds all that a run needs, and writes only when told", () =>
    Effect.gen(function* () {
      const { bucket, cwd, doctor, file, simulator } = yield* setUp()
      const read = yield* doctor([file])
      for (const name of ["node", "disk", "api", "clock", "sink s3", "sink directory", "ledger"]) {
        assert.strictEqual(read.get(name)?.[0]?.status, "ok", `${name}: ${read.get(name)?.[0]?.detail}`)
      }
      assert.include(read.get("api")![0]!.detail, "0 tokens charged in 30 days, it tells no balance")
      assert.include(read.get("sink s3")![0]!.detail, "not tried without --write-probe: write objects")
      assert.deepStrictEqual(filesIn(cwd), ["site.yaml"])
      const puts = () => bucket.requests.filter(({ method }) => method === "PUT").length
      assert.deepStrictEqual([puts(), simulator.charges.received("POST")], [0, 0])

      const tried = yield* doctor([file, "--write-probe"])
      assert.deepStrictEqual(
        ["sink s3", "sink directory", "ledger"].map((name) => tried.get(name)?.[1]?.detail),
        [
          "write probe: put, read, list and deleted objects, with conditions",
          `write probe: wrote and removed a file in ${cwd}`,
          "write probe: nothing: the embedded database is made by the first run"
        ]
      )
      assert.isAbove(puts(), 0)
      assert.deepStrictEqual(filesIn(cwd), ["site.yaml"])
    })
  )

  it.live("says what is wrong in the words of a run, and goes through all checks", () =>
    Effect.gen(function* () {
      const { doctor, env, file } = yield* setUp()
      const refused = yield* doctor([file], { ...env, GEONODE_SCRAPER_API_KEY: canary.apiKey })
      assert.deepInclude(refused.get("api")![0], { status: "failed" })
      assert.match(refused.get("api")![0]!.detail, /key/)
      assert.strictEqual(refused.get("sink s3")![0]!.status, "ok")

      writeFileSync(
        file,
        `name: site\nsource: { crawl: { url: "https://site.test/", render_js: true } }\nsinks: [{ postgres: { url: "postgres://127.0.0.1:${yield* closedPort}/x" } }]\n`
      )
      const closed = yield* doctor([file], { SCRAPER_CHROMIUM: "/no/such/chromium" })
      assert.strictEqual(closed.get("sink postgres")![0]!.status, "failed")
      assert.match(closed.get("sink postgres")![0]!.detail, /could not be reached|cannot be reached/)
      assert.deepInclude(closed.get("chromium")![0], { status: "failed" })
      assert.deepInclude(closed.get("api")![0], { status: "ok" })
      rmSync(file)
    })
  )

  it.live("tells a clock that is far off, and an API without statistics", () =>
    Effect.gen(function* () {
      const { doctor } = yield* setUp()
      const past = yield* serveHttp((request, response) => {
        response.setHeader("date", new Date(Date.now() - 3_600_000).toUTCString())
        response.writeHead(request.url === "/health" ? 200 : 404, { "content-type": "application/json" }).end("{}")
      })
      const found = yield* doctor([], { SCRAPER_API_BASE_URL: past, GEONODE_SCRAPER_API_KEY: "key" })
      assert.deepInclude(found.get("clock")![0], { status: "failed" })
      assert.match(found.get("clock")![0]!.detail, /^36\d\d s ahead of the API's: set the clock/)
      assert.deepInclude(found.get("api")![0], { status: "warn" })
    })
  )

  it("knows the oldest Node", () => {
    assert.deepStrictEqual(
      ["20.20.2", "22.18.0", "22.19.0", "24.0.0"].map((version) => checkNode(version).status),
      ["failed", "failed", "ok", "ok"]
    )
  })
})
