import { assert, describe, it } from "@effect/vitest"
import type { Progress } from "@sluice/core"
import stringWidth from "string-width"
import { duration, fitted, progressText } from "../src/ProgressLine.ts"

const progress = (completed: number, failed: number, discovered: number): Progress => ({
  startedAt: 0,
  jobs: 1,
  pages: { discovered, completed, failed, cancelled: 0, delivered: completed + failed },
  tokens: { charged: completed, reserved: 0 },
  rows: { pages: completed, links: 0, page_metadata: completed, token_summaries: 1 }
})

describe("the progress line", () => {
  it("tells pages, tokens, pace and how long the rest takes", () => {
    assert.strictEqual(
      progressText(progress(30, 0, 90), 10_000),
      "pages 30 / 90, landed 30, tokens 30, 3.0 pages/s, about 20 s left"
    )
  })

  it("tells failed pages, and nothing about the rest once there is none", () => {
    assert.strictEqual(
      progressText(progress(8, 2, 10), 4_000),
      "pages 10 / 10 (2 failed), landed 8, tokens 8, 2.5 pages/s"
    )
  })

  it("guesses no rest before the first page", () => {
    assert.strictEqual(progressText(progress(0, 0, 5), 0), "pages 0 / 5, landed 0, tokens 0, 0.0 pages/s")
  })

  it("fits the terminal, whatever its columns", () => {
    const text = progressText(progress(30_000, 12, 90_000), 10_000_000)
    for (let columns = 1; columns < 120; columns++) {
      assert.isAtMost(stringWidth(fitted(text, columns)), Math.max(1, columns - 1))
    }
    assert.strictEqual(fitted(text, 200), text)
  })

  it("says seconds, minutes and hours", () => {
    assert.deepStrictEqual([0, 59, 60, 3599, 5400].map(duration), ["1 s", "59 s", "1 min", "60 min", "1.5 h"])
  })
})
