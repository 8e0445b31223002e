import { assert, describe, it } from "@effect/vitest"
import type { RunSummary } from "@sluice/core/sink"
import { Effect } from "effect"
import stringWidth from "string-width"
import { describeRuns, runJson } from "../src/describeRuns.ts"
import type { ShownRun } from "../src/runsReader.ts"
import { sinceOf } from "../src/sinceOf.ts"

const begun = Date.parse("2026-03-01T03:00:00.123Z")

const summary = (n: number, changes: Partial<RunSummary> = {}): RunSummary => ({
  runId: `019abcde-0000-7000-8000-00000000000${n}`,
  pipeline: "日本語のサイト",
  configHash: "hash",
  status: "completed",
  startedAt: begun,
  epoch: 1,
  finishedAt: begun + 90_000,
  publishedAt: null,
  receipt: null,
  superseded: [],
  ...changes
})

const open: ShownRun = {
  run: summary(1, { status: "running", finishedAt: null }),
  holder: "host/1/x",
  state: {
    lastSeq: 1,
    jobs: [
      {
        jobId: "job",
        kind: "crawl",
        url: "https://site.test/",
        status: "processing",
        discovered: 9,
        completed: 4,
        failed: 2,
        cancelled: 0,
        tokensCharged: 4,
        tokensReserved: 3,
        observedAt: 1
      }
    ],
    loaded: new Map([
      ["a", { rows: { pages: 6, links: 0, page_metadata: 6, token_summaries: 1 }, deadLetters: 0, tally: {} as never }],
      ["b", { rows: { pages: 5, links: 0, page_metadata: 5, token_summaries: 1 }, deadLetters: 0, tally: {} as never }]
    ]),
    drift: []
  }
}

describe("a list of runs", () => {
  it("has a head, and of a run under way what every sink has loaded", () => {
    const [head, line] = describeRuns([open], begun + 30_000)
    assert.match(head ?? "", /^RUN +STARTED +DURATION +STATUS +PAGES +FAILED +TOKENS +PIPELINE +REASON$/)
    assert.strictEqual(
      line,
      "019abcde-0000-7000-8000-000000000001  2026-03-01T03:00:00Z      30 s  running      5       2       4  日本語のサイト"
    )
    assert.deepInclude(runJson(open, begun + 30_000), { duration_ms: 30_000, pages: 5, failed_pages: 2, tokens: 4 })
  })

  it("says of a run that nobody carries out that the next run resumes it", () => {
    const [, line] = describeRuns([{ ...open, holder: undefined, state: undefined }], begun + 30_000)
    assert.match(line ?? "", /running +- +- +- +日本語のサイト {2}not ended: the next run resumes it$/)
  })

  it("fits a terminal of any width, with IDs that are still unique, and is never cut into a pipe", () => {
    const runs = [1, 2, 3].map((n): ShownRun => ({ run: summary(n), holder: undefined, state: undefined }))
    for (const width of [40, 80, 120, 200]) {
      for (const line of describeRuns(runs, begun, width)) assert.isAtMost(stringWidth(line), width)
    }
    const ids = describeRuns(runs, begun, 80).map((line) => line.split(" ")[0])
    assert.strictEqual(new Set(ids).size, 4)
    for (const line of describeRuns(runs, begun).slice(1)) assert.match(line, /^[0-9a-f-]{36} /)
  })
})

it.effect("--since takes times back and dates, and says what it takes", () =>
  Effect.gen(function* () {
    const now = Date.parse("2026-03-08T00:00:00Z")
    assert.strictEqual(yield* sinceOf("90m", now), now - 90 * 60_000)
    assert.strictEqual(yield* sinceOf("1w", now), Date.parse("2026-03-01T00:00:00Z"))
    assert.strictEqual(yield* sinceOf("2026-03-01", now), Date.parse("2026-03-01T00:00:00Z"))
    assert.strictEqual(yield* sinceOf("2026-03-01T06:00Z", now), Date.parse("2026-03-01T06:00:00Z"))
    for (const wrong of ["", "yesterday", "7", "2026-13-45", "1y"]) {
      assert.match((yield* Effect.flip(sinceOf(wrong, now))).message, /^--since is a time such as 90m/)
    }
  })
)
