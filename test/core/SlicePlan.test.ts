import { assert, describe, it } from "@effect/vitest"
import {
  arbitraryHistory,
  arbitraryMovingOptions,
  type JobHistory,
  type MovingHistory,
  mapStates,
  movingHistory
} from "@sluice/testkit"
import * as fc from "fast-check"
import { readWithPlan } from "./PlanDriver.ts"

/** Histories each property is tried on: a thousand when asked for. */
const numRuns = process.env.SLUICE_LONG_TESTS === undefined ? 300 : 1000

const check = <A extends ReadonlyArray<unknown>>(property: fc.IProperty<[...A]>, share = 1) =>
  fc.assert(property, { seed: 20_261, numRuns: Math.ceil(numRuns * share) })

/** Reads a job may take besides one a pause. */
const extraReads = (history: MovingHistory): number => 2 * Math.ceil(history.terminal.size / 50)

/** The third sweep asks for slices of five instead of fifty. */
const fineReads = (sweeps: number, slices: number): number => (sweeps < 3 ? 0 : 9 * slices)

/** The history as somebody sees it who comes later. */
const from = (poll: number, history: JobHistory): JobHistory => ({ at: (later) => history.at(poll + later) })

describe("SlicePlan on moving jobs", () => {
  it("delivers every page that ended once, misses none and reconciles", () => {
    check(
      fc.property(arbitraryHistory, (history) => {
        const reading = readWithPlan(history)
        assert.sameMembers([...reading.delivered], [...history.terminal.keys()])
        assert.isTrue(reading.reconciled)
      })
    )
  })

  it("reads no more than once a pause and twice a slice", () => {
    check(
      fc.property(arbitraryHistory, (history) => {
        const reading = readWithPlan(history)
        assert.isAtMost(reading.reads, reading.pauses + extraReads(history))
      })
    )
  })

  it("delivers the first pages before the job ends", () => {
    const eventful = arbitraryMovingOptions.map((options) =>
      movingHistory({ ...options, pages: options.pages + 120, steps: options.steps + 4, pollsPerStep: 2, stuck: 0 })
    )
    check(
      fc.property(eventful, (history) => {
        assert.isBelow(readWithPlan(history).firstAt, history.endsAt)
      })
    )
  })

  it("goes on after a restart at any instant with what was committed, neither twice nor without the rest", () => {
    check(
      fc.property(arbitraryHistory, fc.nat(100), fc.nat(100), (history, restart, lost) => {
        const poll = Math.floor((history.endsAt * restart) / 100)
        const known = new Set<string>()
        for (let at = 0; at < poll; at++) {
          const { rows } = history.at(at)!
          for (const row of rows.slice(0, 50))
            if (history.terminal.has(row.url) && row.status !== "queued" && row.status !== "processing")
              known.add(row.url)
        }
        const committed = [...known].slice(Math.floor((known.size * lost) / 100))
        const reading = readWithPlan(from(poll, history), { committed })
        assert.sameMembers([...reading.delivered, ...committed], [...history.terminal.keys()])
        assert.isTrue(reading.reconciled)
        assert.isAtMost(reading.reads, reading.pauses + extraReads(history))
      })
    )
  })

  it("keeps all that when the page size goes down and up on the way", () => {
    const fits = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 0, max: 120 })), { maxLength: 5 })
    check(
      fc.property(arbitraryHistory, fits, fc.boolean(), (history, fits, probe) => {
        const reading = readWithPlan(history, { fits: new Map(fits), probe, mostReads: 20_000 })
        assert.sameMembers([...reading.delivered], [...history.terminal.keys()])
        assert.isTrue(reading.reconciled)
        const smallest = Math.max(1, Math.min(probe ? 5 : 50, ...fits.map(([, rows]) => rows)))
        const slices = Math.ceil(history.terminal.size / ([50, 25, 5].find((size) => size <= smallest) ?? 1))
        assert.isAtMost(reading.reads, reading.pauses + 2 * slices)
      })
    )
  })

  it("asks for little until it knows what a page weighs, and no more often for that", () => {
    check(
      fc.property(arbitraryHistory, fc.nat(3), (history, known) => {
        const reading = readWithPlan(history, { fits: new Map([[1 + known, 1000]]), probe: true })
        assert.sameMembers([...reading.delivered], [...history.terminal.keys()])
        assert.isTrue(reading.reconciled)
        assert.isAtMost(reading.reads, reading.pauses + extraReads(history))
      })
    )
  })

  it("never calls a job reconciled that it has not read whole, however it goes on moving", () => {
    const reordering = arbitraryMovingOptions.map((options) => movingHistory({ ...options, unrestAfterEnd: 1_000_000 }))
    let unreconciled = 0
    check(
      fc.property(reordering, (history) => {
        const reading = readWithPlan(history)
        if (!reading.reconciled) unreconciled++
        assert.strictEqual(new Set(reading.delivered).size, reading.delivered.length)
        assert.strictEqual(reading.reconciled, reading.delivered.length === history.terminal.size)
        assert.isTrue(reading.delivered.every((url) => history.terminal.has(url)))
      })
    )
    assert.isAbove(unreconciled, 0)
  })

  it("gives up after bounded sweeps on counters that never agree", () => {
    check(
      fc.property(
        arbitraryHistory,
        fc.constantFrom(1, 7),
        fc.integer({ min: 0, max: 3 }),
        (history, off, maxSweeps) => {
          const wrong = mapStates(history, (state) => ({ ...state, failed: state.failed + off }))
          const last = wrong.at(history.endsAt + 10)!
          const counted = last.completed + last.failed + last.cancelled
          const reading = readWithPlan(wrong, { maxSweeps })
          assert.isFalse(reading.reconciled)
          assert.isTrue(reading.delivered.every((url) => history.terminal.has(url)))
          // after the end: once what is open, then the sweeps, each three slices beyond the last that shows something
          const slices = Math.ceil(Math.max(last.total, last.rows.length, counted) / 50) + 1 + 3
          assert.isAtMost(
            reading.reads,
            history.endsAt + 3 + (maxSweeps + 2) * slices + fineReads(maxSweeps, slices) + extraReads(history)
          )
        }
      )
    )
  })

  it("does not let pages that are stuck in the first slice hold back later ones", () => {
    check(
      fc.property(
        arbitraryMovingOptions,
        fc.constantFrom("all" as const, "ended-after-cut" as const),
        (options, listing) => {
          const history = movingHistory({
            ...options,
            listing,
            order: "discovery",
            pages: 400,
            steps: 20,
            pollsPerStep: 4,
            stuck: 60,
            end: "completed",
            unrestAfterEnd: 0
          })
          const beforeEnd = new Set<string>()
          const watched: JobHistory = {
            at: (poll) => {
              const state = history.at(poll)!
              if (poll >= history.endsAt - 4) return state
              const { rows } = state
              const slice = (start: number, end: number) => {
                const seen = rows.slice(start, end)
                for (const row of seen) beforeEnd.add(row.url)
                return seen
              }
              return { ...state, rows: { length: rows.length, slice } }
            }
          }
          readWithPlan(watched)
          const delivered = [...beforeEnd].filter((url) => Number(url.split("/").at(-1)) >= 60)
          assert.isAbove(delivered.length, 150)
        }
      ),
      0.3
    )
  })

  it("takes no answer back: a job that goes backwards ends reconciled", () => {
    const backwards = arbitraryMovingOptions.map((options) =>
      movingHistory({ ...options, staleShare: 0.6, tornShare: 0.3, unrestAfterEnd: 2 })
    )
    check(
      fc.property(backwards, (history) => {
        const reading = readWithPlan(history)
        assert.sameMembers([...reading.delivered], [...history.terminal.keys()])
        assert.isTrue(reading.reconciled)
      })
    )
  })
})
