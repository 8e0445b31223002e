import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import type { Receipt } from "@sluice/core"
import { Effect, Schedule } from "effect"
import { directory, run, runJson, start } from "./Cli.ts"
import { page, serveHttp } from "./Site.ts"

interface Listed {
  readonly run_id: string
  readonly status: string
  readonly pages: number | null
}

it.live(
  "a run into the embedded database is listed, shown and followed by other processes while it is under way",
  () =>
    Effect.gen(function* () {
      const waiting: Array<() => void> = []
      const site = yield* serveHttp((request, response) => {
        const answer = (body: string) => response.writeHead(200, { "content-type": "text/html" }).end(body)
        if (request.url === "/") answer(page("home", "/slow"))
        else if (request.url === "/slow") waiting.push(() => answer(page("slow")))
        else response.writeHead(404).end()
      })
      const cwd = yield* directory
      writeFileSync(
        join(cwd, "sluice.yaml"),
        `name: site
source:
  crawl: { url: "${site}/", depth: 2 }
sinks:
  - postgres: {}
embedded: { allow_private_targets: true, host_delay_ms: 0 }
`
      )
      const options = { cwd, alone: true }
      const running = yield* start(["run", "--json"], options)
      yield* Effect.repeat(
        Effect.sync(() => waiting.length),
        {
          until: (count) => count > 0,
          schedule: Schedule.spaced("50 millis")
        }
      )
      // The page that has come is committed within the delay of a segment.
      const [listed] = yield* Effect.repeat(runJson<ReadonlyArray<Listed>>(["runs", "--json"], options), {
        until: ([listed]) => listed?.pages === 1,
        schedule: Schedule.spaced("200 millis")
      })
      assert.strictEqual(listed?.status, "running")
      const shown = yield* run(["show", "last"], options)
      assert.match(shown.stdout, /^status {5}running, by .+$/m)
      assert.match(shown.stdout, /^sink postgres 1 pages, /m)
      const refused = yield* run(["query", "SELECT 1"], options)
      assert.match(refused.stderr, /is in use by process \d+/)

      const follower = yield* start(["runs", "--follow", "--json"], options)
      const followed = () =>
        follower
          .stdout()
          .trimEnd()
          .split("\n")
          .filter((line) => line !== "")
          .map((line): Listed => JSON.parse(line))
      const until = (count: number) =>
        Effect.repeat(
          Effect.sync(() => followed().length),
          {
            until: (length) => length >= count,
            schedule: Schedule.spaced("50 millis")
          }
        )
      yield* until(1)
      for (const answer of waiting) answer()
      const { code, stdout } = yield* running.finished
      assert.strictEqual(code, 0)
      const receipt: Receipt = JSON.parse(stdout)
      yield* Effect.repeat(Effect.sync(followed), {
        until: (listed) => listed.at(-1)?.status === "completed",
        schedule: Schedule.spaced("50 millis")
      })
      const [first, ...later] = followed()
      assert.deepInclude(first, { run_id: receipt.run_id, status: "running" })
      // A line for each change: its pages may have been counted between.
      for (const { run_id, status } of later.slice(0, -1))
        assert.deepStrictEqual([run_id, status], [receipt.run_id, "running"])
      assert.deepInclude(later.at(-1), { run_id: receipt.run_id, status: "completed" })
      follower.signal("SIGINT")
      assert.strictEqual((yield* follower.finished).code, 130)
      assert.deepStrictEqual(yield* runJson(["show", "last", "--json"], options), receipt)
    }).pipe(Effect.scoped),
  240_000
)
