import { assert, describe, it } from "@effect/vitest"
import { isTerminal } from "@sluice/contract"
import * as fc from "fast-check"
import { arbitraryHistory, type HistoryRow, type JobState, movingHistory } from "../../src/simulator/index.ts"

const allRows = (state: JobState): ReadonlyArray<HistoryRow> =>
  Array.from({ length: Math.ceil(state.rows.length / 50) }, (_, page) =>
    state.rows.slice(page * 50, (page + 1) * 50)
  ).flat()

const check = (holds: (history: ReturnType<typeof movingHistory>) => void) =>
  fc.assert(fc.property(arbitraryHistory, holds), { seed: 99, numRuns: 60 })

describe("arbitraryHistory", () => {
  it("comes to rest where its oracle says, with counters that agree", () => {
    check((history) => {
      const { options, terminal } = history
      const rest = history.endsAt + options.unrestAfterEnd
      for (const poll of [rest, rest + 1, rest + 17]) {
        const state = history.at(poll)!
        assert.strictEqual(state.status, options.end)
        const ended = allRows(state).filter(({ status }) => isTerminal(status))
        assert.deepStrictEqual(allRows(state), allRows(history.at(rest)!))
        assert.deepStrictEqual(new Map(ended.map(({ status, url }) => [url, status])), new Map(terminal))
        assert.strictEqual(ended.length, terminal.size)
        assert.strictEqual(state.completed + state.failed + state.cancelled, terminal.size)
      }
    })
  })

  it("is the same for the same options, in whatever order polls are asked for", () => {
    check((history) => {
      const again = movingHistory(history.options)
      const polls = Array.from({ length: history.endsAt + 3 }, (_, poll) => poll)
      const forwards = polls.map((poll) => allRows(history.at(poll)!))
      const backwards = polls.toReversed().map((poll) => allRows(again.at(poll)!))
      assert.deepStrictEqual(backwards.toReversed(), forwards)
    })
  })

  it("never shows a page as ended that the oracle does not know, or differently", () => {
    check((history) => {
      for (let poll = 0; poll < history.endsAt + 3; poll++) {
        for (const { status, url } of allRows(history.at(poll)!)) {
          if (isTerminal(status)) assert.strictEqual(history.terminal.get(url), status)
        }
      }
    })
  })

  it("moves in all the ways it can", () => {
    const seen = new Set<string>()
    for (const { options } of fc.sample(arbitraryHistory, { seed: 4, numRuns: 200 })) {
      const { end, failedShare, listing, order, repeatedShare, shortShare, staleShare, stuck, tornShare } = options
      seen.add(end).add(listing).add(order)
      for (const [name, value] of Object.entries({
        failedShare,
        repeatedShare,
        shortShare,
        staleShare,
        stuck,
        tornShare
      })) {
        if (value > 0) seen.add(name)
      }
    }
    assert.strictEqual(seen.size, 3 + 3 + 6 + 6, [...seen].join(" "))
  })
})
