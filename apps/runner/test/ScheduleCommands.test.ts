import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { directory } from "./Cli.ts"
import { inProcess } from "./inProcess.ts"

const pipelineWith = (schedule: string, name = "docs") =>
  `name: ${name}
${schedule}
source: { crawl: { url: "https://example.com/" } }
sinks: [ { postgres: {} } ]
`

/** What is wrong with a schedule, and where: line, column and sentence. */
const wrong: ReadonlyArray<readonly [string, string]> = [
  [
    'schedule: "61 * * * *"',
    '2:1: schedule: "61 * * * *" is no cron expression (Invalid value for minute: 61): write five fields, minute hour day month weekday, such as "0 3 * * *"'
  ],
  ['schedule: "0 3 31 2 *"', '2:1: schedule: "0 3 31 2 *" never runs: there is no such date'],
  [
    'schedule: { cron: "* * * * * *" }',
    '2:13: schedule.cron: "* * * * * *" runs every second: ticks must be at least 2 seconds apart'
  ],
  [
    'schedule: { cron: "0 3 * * *", timezone: Mars/Olympus }',
    '2:32: schedule.timezone: must be a time zone of the IANA database, such as "Europe/Berlin"'
  ],
  [
    'schedule: { cron: "0 3 * * *", catch_up: all }',
    "schedule.catch_up_window: catch_up: all needs catch_up_window, which says how far back missed ticks run"
  ],
  [
    'schedule: { cron: "0 3 * * *", catch_up_window: 2h }',
    "2:32: schedule.catch_up_window: catch_up_window is for catch_up: all"
  ],
  [
    'schedule: { cron: "0 3 * * *", overlap: wait }',
    '2:32: schedule.overlap: must be one of "skip", "queue", "cancel_previous"'
  ],
  [
    'schedule: { cron: "0 3 * * *", pause: [ { from: 2026-12-27, to: 2026-12-24 } ] }',
    "schedule.pause.0: must be a pause that ends after it begins"
  ],
  ['schedule: { cron: "0 3 * * *", jitter: 2h }', "schedule.jitter: must be a time of at most an hour"]
]

describe("a schedule", () => {
  it.live("that can never work is refused by validate, with its place", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const file = join(cwd, "sluice.yaml")
      for (const [schedule, sentence] of wrong) {
        writeFileSync(file, pipelineWith(schedule))
        const { code, stderr } = yield* inProcess(["validate", file])
        assert.strictEqual(code, 2, schedule)
        assert.include(stderr, sentence)
      }
    })
  )

  it.live("is no part of the pipeline's hash", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const file = join(cwd, "sluice.yaml")
      const validate = Effect.gen(function* () {
        const { code, stderr, stdout } = yield* inProcess(["validate", file])
        assert.strictEqual(code, 0, stderr)
        return stdout
      })
      writeFileSync(file, pipelineWith(""))
      const without = yield* validate
      writeFileSync(
        file,
        pipelineWith(
          'schedule: { cron: "0 3 * * 1-5", timezone: Europe/Berlin, jitter: 10m, overlap: queue, catch_up: all, catch_up_window: 3d, pause: [ { from: 2026-12-24, to: "2026-12-27T12:00:00+01:00" } ] }'
        )
      )
      assert.strictEqual(yield* validate, without)
    })
  )

  it.live("is previewed in its zone, with changes of the clocks and pauses", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const file = join(cwd, "sluice.yaml")
      writeFileSync(
        file,
        pipelineWith(
          'schedule: { cron: "30 2 * * *", timezone: Europe/Berlin, pause: [ { from: 2026-03-30, to: 2026-03-31 } ] }'
        )
      )
      const { code, stdout } = yield* inProcess([
        ...["schedule", "preview", file, "--from", "2026-03-28T00:00:00Z", "--count", "4"]
      ])
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(stdout.trimEnd().split("\n"), [
        "2026-03-28T01:30:00.000Z  Sat 2026-03-28 02:30:00 UTC+01:00 Europe/Berlin",
        "2026-03-29T01:00:00.000Z  Sun 2026-03-29 03:00:00 UTC+02:00 Europe/Berlin  the clocks have changed from UTC+01:00 to UTC+02:00",
        "2026-03-30T00:30:00.000Z  Mon 2026-03-30 02:30:00 UTC+02:00 Europe/Berlin  paused",
        "2026-03-31T00:30:00.000Z  Tue 2026-03-31 02:30:00 UTC+02:00 Europe/Berlin"
      ])
    })
  )
})

describe("a worker", () => {
  it.live("says what it cannot serve, and serves nothing", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const files = { one: join(cwd, "one.yaml"), two: join(cwd, "two.yaml"), plain: join(cwd, "plain.yaml") }
      writeFileSync(files.one, pipelineWith('schedule: "0 3 * * *"'))
      writeFileSync(files.two, pipelineWith('schedule: "0 4 * * *"'))
      writeFileSync(files.plain, pipelineWith("", "plain"))
      mkdirSync(join(cwd, "empty"))
      const refused = Effect.fnUntraced(function* (...paths: ReadonlyArray<string>) {
        const { code, stderr } = yield* inProcess(["worker", ...paths])
        assert.strictEqual(code, 2, stderr)
        return stderr
      })
      assert.include(yield* refused(join(cwd, "none.yaml")), `there is no file or directory ${join(cwd, "none.yaml")}`)
      assert.include(
        yield* refused(files.plain),
        `${files.plain} has no schedule: add one, such as schedule: "0 3 * * *", or run it with: sluice run ${files.plain}`
      )
      assert.include(
        yield* refused(cwd),
        `${files.one} and ${files.two} both describe a pipeline named "docs" in one database: rename one of them`
      )
      assert.include(yield* refused(join(cwd, "empty")), "there is no pipeline with a schedule in")
      assert.include(yield* refused("--lease", "1s", files.one), "a time from 5 seconds to 10 minutes")
    })
  )
})
