import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Crawl, Scraper } from "@sluice/core"
import { type ApiProfile, decodeProfile, valueOf } from "@sluice/core/probe"
import { serve } from "@sluice/scraper"
import { crawlHistory, makeSite, Simulator, simulatorOf } from "@sluice/testkit"
import { Effect, Layer, Redacted, Stream } from "effect"
import { profileSettings } from "../src/loadProfile.ts"
import { type Machine, machineOf } from "../src/Machine.ts"
import { assertNoCanaryIn, assertRefused, canary, directory, run, runJson, start } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"
import { page, servePages } from "./Site.ts"

const key = Redacted.make(canary.apiKey)
const access = (baseUrl: string) => ({ SCRAPER_API_BASE_URL: baseUrl, GEONODE_SCRAPER_API_KEY: canary.apiKey })
const machineWith = (profile: string): Machine => ({ ...machineOf({}, (path) => path), api: { profile } })
const readProfile = (file: string) => decodeProfile(readFileSync(file, "utf8"))

describe("sluice probe", () => {
  it.live(
    "probes the self-hosted scraper, and a run and a simulator are set from the profile",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const site = yield* servePages({
          "/": page("Home", "/a", "/b", "/c", "/d"),
          "/a": page("A"),
          "/b": page("B"),
          "/c": page("C"),
          "/d": page("D")
        })
        const { baseUrl } = yield* serve({ apiKeys: [key], allowPrivateTargets: true, hostDelayMs: 0 })
        const env = access(baseUrl)
        const json = yield* runJson<ApiProfile & { readonly notes: ReadonlyArray<string> }>(
          ["probe", `${site}/`, "--yes", "--json"],
          { cwd, env }
        )
        assert.deepStrictEqual(json.notes, [])
        assert.isAtMost(json.tokens_charged, 10)
        const profile = yield* readProfile(join(cwd, "sluice-profile.json"))
        assert.deepStrictEqual(profile.answers, json.answers)
        const told = [
          ["errors.wrong_key", { status: 401, body: "envelope" }],
          ["errors.unknown_job", { status: 404, body: "envelope" }],
          ["errors.empty_request", { status: 422, body: "validation" }],
          ["extract.async_answer", "job"],
          ["extract.sync_tokens", 1],
          ["batch.invalid_urls", "texts"],
          ["batch.duplicates", true],
          ["crawl.seed_depth", 1],
          ["crawl.limit_kept", true],
          ["results.page", "counts from 1"],
          ["results.page_size", "honoured"],
          ["results.page_size_over_50", "refused"],
          ["lists.shows_jobs", true],
          ["lists.lag_reads", 0],
          ["lists.order", "newest first"],
          ["lists.dates", "honoured"],
          ["cancel.ended", { status: 409, body: "envelope" }],
          ["map.listed", true]
        ] as const
        for (const [id, value] of told) assert.deepStrictEqual(valueOf(profile, id), value, id)
        assertNoCanaryIn(cwd)

        const simulator = yield* Simulator.make(simulatorOf(profile))
        const pages = yield* Stream.runCollect(Crawl.records({ url: "https://site.test/", limit: 5 })).pipe(
          Effect.provide(Layer.provide(Scraper.layer(simulator), NodeHttpClient.layerUndici))
        )
        assert.lengthOf(pages, 5)
        assert.deepStrictEqual(yield* profileSettings(machineWith(join(cwd, "sluice-profile.json"))), {
          auth: "x-api-key",
          adoption: { lag: 30_000, looks: 4 }
        })
      }).pipe(Effect.provide(NodeServices.layer)),
    120_000
  )

  it.live("names a profile that cannot be read", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const file = join(cwd, "other.json")
      writeFileSync(file, '{ "sluice_profile": 2 }')
      const other = yield* Effect.flip(profileSettings(machineWith(file)))
      assert.match(other.message, /^api.profile: \S+ is no profile that this version of Sluice reads/)
      const missing = yield* Effect.flip(profileSettings(machineWith(join(cwd, "none.json"))))
      assert.match(missing.message, /^api.profile: \S+ cannot be read: write it with "sluice probe"$/)
      assert.strictEqual(missing.exitCode, 2)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live(
    "submits nothing again after it was killed",
    () =>
      Effect.gen(function* () {
        const cwd = yield* directory
        const reached = Promise.withResolvers<void>()
        const site = makeSite({ pages: 9 })
        let crawls = 0
        const simulator = yield* Simulator.make({
          site,
          apiKey: canary.apiKey,
          crawl: ({ limit = 9 }) => crawlHistory(site, { perPoll: 1, limit }),
          onRequest: ({ method, url }) =>
            Effect.sync(() => {
              if (method === "POST" && url === "/v1/crawl") crawls++
              if (method === "GET" && crawls === 3) reached.resolve()
            })
        })
        const env = access(simulator.baseUrl)
        const command = ["probe", site.url, "--yes"]
        const killed = yield* start(command, { cwd, env })
        yield* Effect.promise(() => reached.promise)
        killed.signal("SIGKILL")
        yield* killed.finished
        const posts = () => simulator.charges.requests.filter(({ method }) => method === "POST").map(({ url }) => url)
        const before = posts()
        const other = yield* run(["probe", `${site.url}p/1`, "--yes"], { cwd, env })
        assert.strictEqual(other.code, 5)
        assert.match(other.stderr, /a probe of \S+ did not end: run "sluice probe https:\/\/site.test\/ --tokens 10"/)
        const resumed = yield* run(command, { cwd, env })
        assert.strictEqual(resumed.code, 0, resumed.stderr)
        assert.match(resumed.stderr, /resuming a probe that did not end/)
        assert.deepStrictEqual(posts(), before)
        assert.deepStrictEqual(before, [
          "/v1/crawl",
          "/v1/extract",
          "/v1/extract",
          "/v1/batch",
          "/v1/map",
          "/v1/crawl",
          "/v1/crawl"
        ])
        assert.isAtMost(simulator.charges.tokens, 10)
        assert.match(resumed.stdout, /Where do new results of a running job appear\?/)
      }),
    120_000
  )

  it.live("sends nothing before it is agreed to, and refuses what cannot be probed", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const simulator = yield* Simulator.make({ apiKey: canary.apiKey })
      const env = { ...access(simulator.baseUrl), SLUICE_HOME: cwd }
      const profile = join(cwd, "p.json")
      const target = "https://site.test/"
      const unasked = yield* inProcess(["probe", target, "--profile", profile], env)
      assertRefused(
        unasked,
        2,
        `a probe costs: ${simulator.baseUrl} may charge it up to 10 tokens, for at most 7 submissions about ${target}`,
        "a probe is paid for: agree with --yes, or run it on a terminal. Nothing was sent"
      )
      const cases = [
        [["probe", "site.test", "--yes"], env, /"site.test" is no http or https URL/],
        [["probe", "https://u:p@site.test/", "--yes"], env, /must not carry credentials/],
        [["probe", target, "--yes"], { SLUICE_HOME: cwd }, /there is no API key: set GEONODE_SCRAPER_API_KEY/],
        [
          ["probe", target, "--yes", "--profile", join(cwd, "none", "p.json")],
          env,
          /cannot be written to: name another file by --profile/
        ],
        [["probe", target, "--yes", "--tokens", "0"], env, /tokens/],
        [
          ["probe", target, "--yes", "--profile", profile],
          { ...env, GEONODE_SCRAPER_API_KEY: "wrong" },
          /refused the API key/
        ]
      ] as const
      for (const [args, variables, says] of cases) {
        const refused = yield* inProcess(args, variables)
        assert.match(refused.stderr, says)
        assert.strictEqual(refused.code, 2, refused.stderr)
      }
      assert.strictEqual(simulator.charges.received("POST"), 0)
      assert.isFalse(existsSync(profile))
    })
  )

  it.live("ends with the code of what stopped it", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const site = makeSite({ pages: 3 })
      const poor = yield* Simulator.make({ site, apiKey: canary.apiKey, balance: 1 })
      const args = ["probe", site.url, "--yes", "--profile", join(cwd, "p.json"), "--json"]
      const broke = yield* inProcess(args, { ...access(poor.baseUrl), SLUICE_HOME: join(cwd, "poor") })
      assert.strictEqual(broke.code, 3, broke.stderr)
      const profile: ApiProfile = JSON.parse(broke.stdout)
      assert.strictEqual(profile.answers["crawl.members"]?.evidence, "the balance of the account is used up")

      const locked = yield* Simulator.make({
        site,
        apiKey: canary.apiKey,
        faults: [{ method: "GET", path: "/v1/batch/", fault: { _tag: "Status", status: 401 } }]
      })
      const failed = yield* inProcess(args, { ...access(locked.baseUrl), SLUICE_HOME: join(cwd, "locked") })
      assert.strictEqual(failed.code, 1, failed.stderr)
      assert.match(
        failed.stderr,
        /refused the API key.*; the probe did not end; the same command resumes it, and submits nothing again/
      )
      assert.strictEqual(JSON.parse(failed.stdout).exit_code, 1)
    })
  )
})
