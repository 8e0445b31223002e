import { type ChildProcess, spawn } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { Postgres } from "@sluice/sink-postgres"
import { crawlHistory, createDatabase, makeSite, Simulator } from "@sluice/testkit"
import { Config, Effect, Fiber, Redacted, Schedule } from "effect"

const child = (environment: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [new URL("child.ts", import.meta.url).pathname], {
        env: { PATH: process.env.PATH, ...environment },
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    (process) => Effect.sync(() => void process.kill("SIGKILL"))
  )

/** What a child prints until it ends. */
const outputOf = (process: ChildProcess): Effect.Effect<string> =>
  Effect.callback<string>((resume) => {
    let text = ""
    process.stdout?.on("data", (chunk: Buffer) => {
      text += `${chunk}`
    })
    process.on("close", () => resume(Effect.succeed(text)))
  })

interface Said {
  readonly status: string
  readonly run_id: string
  readonly reason?: string
}

/** The receipt is the last line; what comes before it are logs. */
const receiptIn = (output: string): Said => JSON.parse(output.trim().split("\n").at(-1) ?? "{}")

describe("a process stopped past its lease", () => {
  it.live("writes nothing after another has taken its run over", () =>
    Effect.gen(function* () {
      const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
      const site = makeSite({ pages: 400, seed: 7 })
      const simulator = yield* Simulator.make({ site, crawl: () => crawlHistory(site, { perPoll: 2 }) })
      const environment = {
        API: simulator.baseUrl,
        KEY: Redacted.value(simulator.apiKey),
        DATABASE_URL: url,
        PIPELINE: "zombie",
        NTH: "1"
      }
      const database = yield* Postgres.open({ url })
      const standing = database
        .query("SELECT count(*)::int AS pages, max(epoch) AS epoch FROM pages, runs")
        .pipe(Effect.orElseSucceed(() => []))

      const zombie = yield* child(environment)
      const zombieSays = yield* Effect.forkChild(outputOf(zombie))
      yield* Effect.repeat(standing, {
        schedule: Schedule.spaced("5 millis"),
        until: ([row]) => Number(row?.pages) > 0
      })
      zombie.kill("SIGSTOP")
      const [before] = yield* standing
      assert.isBelow(Number(before?.pages), 400)

      const heir = receiptIn(yield* outputOf(yield* child(environment)))
      assert.strictEqual(heir.status, "completed")
      const [taken] = yield* standing
      assert.deepInclude(taken, { pages: 400, epoch: 2 })

      zombie.kill("SIGCONT")
      const said = receiptIn(yield* Fiber.join(zombieSays))
      assert.include(said.reason, "another process took this run over")
      assert.deepInclude(said, { status: "halted", run_id: heir.run_id })
      const [after] = yield* standing
      assert.deepStrictEqual(after, taken)
      assert.strictEqual(simulator.charges.received("POST"), 1)
      assert.strictEqual(simulator.charges.tokens, 400)
    })
  )
})
