import { mkdirSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { createDatabase, sampleSeed } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { type CrashCase, type CrashVerdict, runCrashCase } from "./CrashCase.ts"
import { type Point, points } from "./points.ts"
import { type Kind, kinds } from "./Work.ts"

/** Seeds for each point of a crawl: one in the normal suite, 200 in the soak. */
const seeds = Config.Int("SLUICE_CRASH_SEEDS").pipe(Config.withDefault(1))

/** The first seed of each point, to go on with a soak that was cut short. */
const firstSeed = Config.Int("SLUICE_CRASH_FIRST").pipe(Config.withDefault(0))

/** Cases after which the report is written anew: a soak that is cut short has one. */
const reportEvery = 20

/** A batch and an extract get every fourth seed of a soak: they differ from a crawl in how they submit and read, not in how they load. */
const fraction = 1 / 4

/** Points of a batch and of an extract in the normal suite; the seed of the run says which. */
const pointsADay = 3

/** Processes at once. */
const atOnce = 2

/** Which points the normal suite takes for a batch and for an extract. */
const round = Config.Int("SLUICE_CRASH_ROUND").pipe(Config.withDefault(sampleSeed))

describe("a process killed at any instant", () => {
  it.live(
    "is resumed to the same end: nothing paid twice, no page lost, none doubled",
    () =>
      Effect.gen(function* () {
        const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
        const most = yield* seeds
        const nth = yield* round
        const from = yield* firstSeed
        // Seed by seed over all points, not point by point: what was done until now covers every point.
        const cases = kinds.flatMap((kind) => casesOf(kind, most, nth, from)).sort((a, b) => a.seed - b.seed)
        const verdicts: Array<CrashVerdict> = []
        const report = Effect.sync(() => writeFileSync("reports/crash-matrix.md", tableOf(verdicts, nth)))
        mkdirSync("reports", { recursive: true })
        yield* Effect.forEach(
          cases,
          (each) =>
            Effect.tap(runCrashCase(url, each), (verdict) =>
              verdicts.push(verdict) % reportEvery === 0 ? report : Effect.void
            ),
          { concurrency: atOnce, discard: true }
        )
        yield* report
        assert.deepStrictEqual(verdicts.flatMap(complaintsOf), [])
        for (const [kind, point] of rowsOf(verdicts)) {
          const met = ofRow(verdicts, kind, point).filter(({ killed }) => killed)
          if (most > 1) assert.isNotEmpty(met, `nobody was killed ${point} of a ${kind}`)
        }
        assert.isAtLeast(verdicts.filter(({ killed }) => killed).length, verdicts.length / 2)
      }),
    { timeout: 6 * 3_600_000 }
  )
})

const complaintsOf = ({ kind, point, seed, wrong }: CrashVerdict) =>
  wrong.map((what) => `${kind}, ${point}, seed ${seed}: ${what}`)

/** All points of a crawl; of the others a part of the seeds or, where there is one seed, of the points. */
const casesOf = (kind: Kind, most: number, nth: number, from: number): ReadonlyArray<CrashCase> => {
  const isExhaustive = kind === "crawl" || most > 1
  const first = nth * pointsADay + kinds.indexOf(kind) * Math.floor(points.length / 2)
  const chosen = isExhaustive
    ? points
    : Array.from({ length: pointsADay }, (_, index) => points[(first + index) % points.length]!)
  const count = kind === "crawl" ? most : Math.max(1, Math.round(most * fraction))
  return chosen.flatMap((point) =>
    Array.from({ length: count }, (_, index) => ({
      kind,
      point,
      seed: points.indexOf(point) + (from + index) * points.length
    }))
  )
}

const ofRow = (verdicts: ReadonlyArray<CrashVerdict>, kind: Kind, point: Point) =>
  verdicts.filter((verdict) => verdict.kind === kind && verdict.point === point)

const rowsOf = (verdicts: ReadonlyArray<CrashVerdict>) =>
  kinds
    .flatMap((kind) => points.map((point) => [kind, point] as const))
    .filter(([kind, point]) => ofRow(verdicts, kind, point).length > 0)

/** What a reader can check: a line a kind and point. */
const tableOf = (verdicts: ReadonlyArray<CrashVerdict>, nth: number): string => {
  const lines = rowsOf(verdicts).map(([kind, point]) => {
    const of = ofRow(verdicts, kind, point)
    const sum = (pick: (verdict: CrashVerdict) => number) => of.reduce((total, verdict) => total + pick(verdict), 0)
    const cells = [
      kind,
      point,
      of.length,
      of.filter(({ killed }) => killed).length,
      sum(({ submissions }) => submissions),
      sum(({ jobs }) => jobs),
      sum(({ posts, submissions }) => posts - submissions),
      sum(({ pages }) => pages),
      sum(({ duplicates }) => duplicates),
      sum(({ lost }) => lost),
      of.filter(({ wrong }) => wrong.length > 0).length
    ]
    return `| ${cells.join(" | ")} |`
  })
  return [
    "| kind | killed | cases | met | submissions | charged jobs | resubmissions | pages | duplicates | lost | wrong |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...lines,
    "",
    `Points of batch and extract in the normal suite: SLUICE_CRASH_ROUND=${nth}.`,
    ""
  ].join("\n")
}
