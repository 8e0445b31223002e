import { mkdirSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { makeRng, roll, sampleSeed, shuffled } from "@sluice/testkit"
import { S3Server } from "@sluice/testkit/s3"
import { Config, Effect, type Scope } from "effect"
import { type CommandKill, type Target, tableOf } from "./CommandKill.ts"
import { collectionOf, litteredLake, resumesAfterwards } from "./collection.ts"
import { modes, replayOfDeadLetters } from "./deadLetters.ts"
import { definitionsByLevel, levels, migrationFrom } from "./migration.ts"
import { replayFromVault } from "./vaultReplay.ts"

const isLong = process.env.SLUICE_LONG_TESTS !== undefined

/** A soak takes every setting, and so many times the kills of the suite. */
const soakFactor = 4

/** An embedded database takes as long to make as ten kills at a server: one in so many runs of the suite has its course. */
const rarity = 3

/** Processes at once. */
const atOnce = 2

/** Settings of a command, of which the suite takes one, and the kills they share. */
interface Course {
  readonly command: string
  readonly kills: number
  /** Whether it is left out of most runs of the suite. */
  readonly rarely?: boolean
  readonly settings: ReadonlyArray<{
    readonly setting: string
    readonly target: Effect.Effect<Target, unknown, Scope.Scope>
  }>
}

const next = makeRng(sampleSeed, "kills of commands")

/** Kills a command at phases of the run's seed, spread over all there are. */
const killAll = Effect.fnUntraced(function* (name: string, courses: ReadonlyArray<Course>) {
  const kills: Array<CommandKill> = []
  for (const { command, kills: usual, rarely = false, settings } of courses) {
    if (rarely && !isLong && roll(next, rarity) !== 0) continue
    const taken = isLong ? settings : [settings[roll(next, settings.length)]!]
    const each = isLong ? Math.ceil((usual * soakFactor) / taken.length) : usual
    for (const { setting, target } of taken) {
      const { kill, phases } = yield* target
      const order = shuffled(next, [...phases.keys()])
      const deaths = Array.from({ length: each }, (_, at) => {
        const phase = order[at % order.length]!
        return { phase, nth: 1 + roll(next, phases.get(phase)!) }
      })
      yield* Effect.forEach(
        deaths,
        (death) => Effect.map(kill(death), (aftermath) => kills.push({ command, setting, death, ...aftermath })),
        { concurrency: atOnce, discard: true }
      )
    }
  }
  const table = tableOf(kills)
  yield* Effect.sync(() => {
    mkdirSync("reports", { recursive: true })
    writeFileSync(`reports/kills-${name}.md`, table)
    process.stdout.write(table)
  })
  assert.deepStrictEqual(
    kills.flatMap(({ command, death, setting, wrong }) =>
      wrong.map((what) => `${command}, ${setting}, ${death.phase}, time ${death.nth}: ${what}`)
    ),
    []
  )
  assert.deepStrictEqual(
    kills.map(({ reached }) => reached),
    kills.map(({ death }) => `${death.phase}, time ${death.nth}`)
  )
})

const server = Effect.map(Config.String("TEST_DATABASE_URL"), (url) => ({ url, label: "" }))

describe(`commands killed at a phase they log (seed ${sampleSeed}), and run again`, { concurrent: true }, () => {
  it.live(
    "migrate: each migration is there as a whole or not at all, and no row is lost",
    () =>
      Effect.gen(function* () {
        const at = yield* server
        const definitions = yield* definitionsByLevel(at)
        const settingsOf = (where: "server" | "embedded") =>
          levels.map((level) => ({
            setting: `${where}, from ${level} migrations`,
            target: migrationFrom(at, definitions, { level, where })
          }))
        yield* killAll("migrate", [
          { command: "migrate", kills: 10, settings: settingsOf("server") },
          { command: "migrate", kills: 1, rarely: true, settings: settingsOf("embedded") }
        ])
      }),
    3_600_000
  )

  it.live(
    "replay: every page is in the tables and in the lake once, without a request",
    () =>
      Effect.gen(function* () {
        const [at, s3] = [yield* server, yield* S3Server.make()]
        const settings = (["directory", "s3"] as const).map((where) => ({
          setting: `into a lake: ${where}`,
          target: replayFromVault(at, s3, where)
        }))
        yield* killAll("replay", [{ command: "replay", kills: 10, settings }])
      }),
    3_600_000
  )

  it.live(
    "dlq replay: every dead letter is loaded once",
    () =>
      Effect.gen(function* () {
        const at = yield* server
        const settings = modes.map((mode) => ({ setting: mode, target: replayOfDeadLetters(at, mode) }))
        yield* killAll("dlq-replay", [{ command: "dlq replay", kills: 5, settings }])
      }),
    3_600_000
  )

  it.live(
    "gc: readers see what they saw, the rest is removed, and runs that can still be resumed or published are",
    () =>
      Effect.gen(function* () {
        const [at, s3] = [yield* server, yield* S3Server.make()]
        const lake = yield* litteredLake(at)
        yield* killAll(
          "gc",
          (["directory", "s3"] as const).map((where) => ({
            command: "gc",
            kills: 5,
            settings: [{ setting: where, target: collectionOf(lake, s3, where) }]
          }))
        )
        assert.deepStrictEqual(yield* resumesAfterwards(lake), [])
      }),
    3_600_000
  )
})
