import { mkdirSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { createDatabase, sampleSeed } from "@sluice/testkit"
import { S3Server } from "@sluice/testkit/s3"
import { Cause, Config, Effect } from "effect"
import type { FanoutCase } from "./FanoutCase.ts"
import { allCases, complaintsOf, type FanoutKind, kinds, someCases, tableOf } from "./matrix.ts"
import { piecewise, runPiecesCase } from "./piecesCase.ts"
import { runReplayCase } from "./replayCase.ts"
import { type FanoutVerdict, runFanoutCase } from "./runCase.ts"
import type { Servers } from "./Scene.ts"
import { runZombieCase } from "./zombieCase.ts"

/** Cases of each kind in the normal suite, whose points go round from day to day. */
const casesADay: Record<FanoutKind, number> = { run: 3, replay: 1, zombie: 1 }

/** A soak takes every point, each with so many seeds for every hundred of the matrix of one sink. */
const seedsOfHundred = 2

/** Cases after which the report is written anew. */
const reportEvery = 20

/** Processes at once. */
const atOnce = 2

const runs = { run: runFanoutCase, replay: runReplayCase, zombie: runZombieCase } as const

/** A case in which not even what is kept can be read any more is wrong, and no reason to leave the others out. */
const verdictOf = (shared: Servers, kind: FanoutKind, each: FanoutCase): Effect.Effect<FanoutVerdict> =>
  runs[kind](shared, each).pipe(
    Effect.catchCause((cause) =>
      Effect.succeed({ ...each, what: kind, setting: "", deaths: 0, attempts: 0, wrong: [Cause.pretty(cause)] })
    )
  )

const isLong = process.env.SLUICE_LONG_TESTS !== undefined

const servers = Effect.gen(function* () {
  const server = { url: yield* Config.String("TEST_DATABASE_URL"), label: "" }
  return {
    url: yield* createDatabase(server),
    otherUrl: yield* createDatabase(server),
    s3: yield* S3Server.make()
  }
})

describe("processes of a pipeline of several sinks", () => {
  it.live(
    "killed at any instant of a run or a replay, or stopped while it is lost: every sink ends with every page once",
    () =>
      Effect.gen(function* () {
        const shared = yield* servers
        const round = yield* Config.Int("SLUICE_CRASH_ROUND").pipe(Config.withDefault(sampleSeed))
        const seeds = yield* Config.Int("SLUICE_CRASH_SEEDS").pipe(
          Config.map((most) => Math.max(1, Math.round((most * seedsOfHundred) / 100))),
          Config.withDefault(1)
        )
        const cases = kinds
          .flatMap((kind) =>
            (isLong ? allCases(kind, seeds) : someCases(kind, casesADay[kind], round)).map((each) => ({ kind, each }))
          )
          .sort((a, b) => a.each.seed - b.each.seed)
        const verdicts: Array<FanoutVerdict> = []
        const report = Effect.sync(() => writeFileSync("reports/fanout-matrix.md", tableOf(verdicts, round)))
        mkdirSync("reports", { recursive: true })
        yield* Effect.forEach(
          cases,
          ({ each, kind }) =>
            Effect.tap(verdictOf(shared, kind, each), (verdict) =>
              verdicts.push(verdict) % reportEvery === 0 ? report : Effect.void
            ),
          { concurrency: atOnce, discard: true }
        )
        yield* report
        assert.deepStrictEqual(verdicts.flatMap(complaintsOf), [])
        const met = verdicts.filter(({ deaths }) => deaths > 0)
        assert.isAtLeast(met.length, (verdicts.length * 3) / 4, "too few died for this to say anything")
      }),
    { timeout: 6 * 3_600_000 }
  )

  if (isLong)
    it.live(
      "killed at any step of an object that goes in pieces: nothing of it is left, and it goes anew",
      () =>
        Effect.gen(function* () {
          const shared = yield* servers
          const wrong = yield* Effect.forEach(piecewise, (step) => runPiecesCase(shared, step))
          assert.deepStrictEqual(wrong.flat(), [])
        }),
      { timeout: 300_000 }
    )
})
