import { assert, describe, it } from "@effect/vitest"
import type { Progress } from "@sluice/core"
import stringWidth from "string-width"
import { ProgressPace } from "../src/ProgressPace.ts"
import { duration, fittedProgress, progressText } from "../src/progressText.ts"

const progress = (
  done: number,
  discovered: number,
  { charged = done, failed = 0, sinks = [] }: { charged?: number; failed?: number; sinks?: Progress["sinks"] } = {}
): Progress => ({
  startedAt: 0,
  jobs: 1,
  pages: { discovered, completed: done - failed, failed, cancelled: 0, delivered: done },
  tokens: { charged, reserved: 0 },
  rows: { pages: done, links: 0, page_metadata: done, token_summaries: 1 },
  sinks
})

/** The pace after looks at a run, one a second, of which each answers pages done and discovered. */
const after = (pace: ProgressPace, seconds: number, look: (second: number) => Progress, from = 0) => {
  let last = pace.at(look(0), from)
  for (let second = 1; second <= seconds; second++) last = pace.at(look(second), from + second * 1000)
  return last
}

describe("the pace of a run", () => {
  it("says how long the rest takes once nothing more is discovered", () => {
    const { left, pagesPerSecond } = after(new ProgressPace(), 10, (s) => progress(3 * s, 90))
    assert.strictEqual(pagesPerSecond, 3)
    assert.deepStrictEqual(left, { seconds: 20, atMost: false })
  })

  it("says nothing while pages are discovered and no limit is known, and a bound with a limit", () => {
    const look = (s: number) => progress(s, 10 + 5 * s)
    assert.isUndefined(after(new ProgressPace(), 10, look).left)
    assert.deepStrictEqual(after(new ProgressPace({ pages: 100 }), 10, look).left, { seconds: 90, atMost: true })
    // As many as the limit are known: there will be no more.
    assert.deepStrictEqual(after(new ProgressPace({ pages: 50 }), 10, look).left, { seconds: 40, atMost: false })
  })

  it("counts no page that the budget does not pay", () => {
    const look = (s: number) => progress(2 * s, 1_000, { charged: 10 * s })
    assert.deepStrictEqual(after(new ProgressPace({ tokens: 200 }), 10, look).left, { seconds: 10, atMost: false })
  })

  it("is that of this process: what an earlier one has done is no pace", () => {
    const { left, pagesPerSecond } = after(new ProgressPace(), 10, (s) => progress(500 + s, 600), 3_600_000)
    assert.strictEqual(pagesPerSecond, 1)
    assert.deepStrictEqual(left, { seconds: 90, atMost: false })
  })

  it("follows a run that becomes slow within half a minute, in bounded memory", () => {
    const pace = new ProgressPace()
    let last = pace.at(progress(0, 100_000), 0)
    for (let tick = 1; tick <= 2_000; tick++) last = pace.at(progress(tick, 100_000), tick * 100)
    assert.approximately(last.pagesPerSecond, 10, 0.5)
    for (let tick = 1; tick <= 400; tick++) last = pace.at(progress(2_000, 100_000), 200_000 + tick * 100)
    assert.strictEqual(last.pagesPerSecond, 0)
    assert.isUndefined(last.left)
  })

  it("guesses nothing from a few seconds", () => {
    assert.isUndefined(after(new ProgressPace(), 4, (s) => progress(s, 90)).left)
  })
})

const pace = { pagesPerSecond: 3, left: { seconds: 20, atMost: false } }

describe("the progress line", () => {
  it("tells pages, tokens, pace and how long the rest takes", () => {
    assert.strictEqual(
      progressText(progress(30, 90), pace),
      "pages 30 / 90, landed 30, tokens 30, 3.0 pages/s, about 20 s left"
    )
    assert.strictEqual(
      progressText(progress(10, 10, { failed: 2 }), { pagesPerSecond: 2.5, left: undefined }),
      "pages 10 / 10 (2 failed), landed 10, tokens 10, 2.5 pages/s"
    )
  })

  it("names the sinks that lag, of several", () => {
    const sinks = [
      { name: "postgres", pages: 30 },
      { name: "湖", pages: 12 }
    ]
    assert.strictEqual(
      progressText(progress(30, 90, { sinks }), { pagesPerSecond: 3, left: { seconds: 90, atMost: true } }),
      "pages 30 / 90, landed 30, tokens 30, 3.0 pages/s, at most 2 min left, 湖 18 behind"
    )
    assert.notInclude(progressText(progress(30, 90, { sinks: sinks.slice(1) }), pace), "behind")
  })

  it("fits any terminal: what matters least is left out first, and wide characters count twice", () => {
    const run = progress(30_000, 90_000, {
      failed: 12,
      sinks: [
        { name: "日本語の湖日本語の湖", pages: 1 },
        { name: "b", pages: 2 }
      ]
    })
    for (let columns = 1; columns < 160; columns++) {
      assert.isAtMost(stringWidth(fittedProgress(run, pace, columns)), Math.max(1, columns - 1))
    }
    assert.strictEqual(fittedProgress(run, pace, 40), "pages 30000 / 90000 (12 failed)")
    assert.strictEqual(fittedProgress(run, pace, 60), "pages 30000 / 90000 (12 failed), about 20 s left")
    assert.strictEqual(fittedProgress(run, pace, 200), progressText(run, pace))
  })

  it("says seconds, minutes and hours", () => {
    assert.deepStrictEqual([0, 59, 60, 3599, 5400].map(duration), ["1 s", "59 s", "1 min", "60 min", "1.5 h"])
  })
})
