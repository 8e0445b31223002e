import { mkdirSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { createDatabase } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { type CrashVerdict, runCrashCase } from "./CrashCase.ts"
import { points } from "./points.ts"

/** Seeds for each point: one in the normal suite, 200 in the soak. */
const seeds = Config.Int("SLUICE_CRASH_SEEDS").pipe(Config.withDefault(1))

/** Processes at once. */
const atOnce = 2

describe("a process killed at any instant", () => {
  it.live(
    "is resumed to the same end: nothing paid twice, no page lost, none doubled",
    () =>
      Effect.gen(function* () {
        const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
        const most = yield* seeds
        const cases = points.flatMap((point, place) =>
          Array.from({ length: most }, (_, index) => ({ point, seed: place + index * points.length }))
        )
        const verdicts = yield* Effect.forEach(cases, (each) => runCrashCase(url, each), { concurrency: atOnce })
        mkdirSync("reports", { recursive: true })
        writeFileSync("reports/crash-matrix.md", tableOf(verdicts))
        assert.deepStrictEqual(
          verdicts.filter(({ wrong }) => wrong.length > 0),
          []
        )
        for (const point of points) {
          const met = verdicts.filter((verdict) => verdict.point === point && verdict.killed)
          if (most > 1) assert.isNotEmpty(met, `nobody was killed ${point}`)
        }
        assert.isAtLeast(verdicts.filter(({ killed }) => killed).length, verdicts.length / 2)
      }),
    { timeout: 6 * 3_600_000 }
  )
})

/** What a reader can check: a line a point. */
const tableOf = (verdicts: ReadonlyArray<CrashVerdict>): string => {
  const sum = (of: ReadonlyArray<CrashVerdict>, pick: (verdict: CrashVerdict) => number) =>
    of.reduce((total, verdict) => total + pick(verdict), 0)
  const lines = points.map((point) => {
    const of = verdicts.filter((verdict) => verdict.point === point)
    const cells = [
      point,
      of.length,
      of.filter(({ killed }) => killed).length,
      sum(of, ({ jobs }) => jobs) / of.length,
      sum(of, ({ posts }) => posts - 1),
      sum(of, ({ pages }) => pages),
      sum(of, ({ duplicates }) => duplicates),
      sum(of, ({ lost }) => lost),
      of.filter(({ wrong }) => wrong.length > 0).length
    ]
    return `| ${cells.join(" | ")} |`
  })
  return [
    "| killed | cases | met | charged jobs a case | resubmissions | pages | duplicates | lost | wrong |",
    "|---|---|---|---|---|---|---|---|---|",
    ...lines,
    ""
  ].join("\n")
}
