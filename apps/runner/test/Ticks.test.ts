import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import type { Schedule } from "../src/schedule/Schedule.ts"
import { mostTicks, nextTicks, startOf, ticksBetween } from "../src/schedule/ticksOf.ts"
import { localMinutes } from "./localMinutes.ts"

const plain: Schedule = {
  cron: "0 3 * * *",
  timezone: "UTC",
  jitterMs: 0,
  overlap: "skip",
  catchUp: "latest",
  windowMs: 0,
  pauses: []
}

/** Each with both of its changes of 2026, the southern one by half an hour. */
const zones = [
  { timezone: "Europe/Berlin", changes: ["2026-03-29T01:00Z", "2026-10-25T01:00Z"] },
  { timezone: "America/New_York", changes: ["2026-03-08T07:00Z", "2026-11-01T06:00Z"] },
  { timezone: "Australia/Lord_Howe", changes: ["2026-04-04T15:00Z", "2026-10-03T15:30Z"] },
  { timezone: "America/St_Johns", changes: ["2026-03-08T05:30Z", "2026-11-01T04:30Z"] }
] as const

const minuteMs = 60_000
const dayMs = 86_400_000

describe("ticks over a change of the clocks", () => {
  const around = zones.flatMap(({ changes, timezone }) =>
    changes.map((change) => ({ timezone, from: Date.parse(change) - 2 * dayMs, to: Date.parse(change) + 2 * dayMs }))
  )
  const minute = fc.integer({ min: 0, max: 59 })
  const hour = fc.integer({ min: 0, max: 23 })

  it("at a time of day: once a day, at the first such minute, or where the gap ends that holds it", () => {
    for (const { from, timezone, to } of around) {
      const minutes = localMinutes(timezone, from, to)
      fc.assert(
        fc.property(hour, minute, (h, m) => {
          const ticks = ticksBetween({ ...plain, cron: `${m} ${h} * * *`, timezone }, from - 1, to - minuteMs)
          assert.deepStrictEqual(ticks, minutes.dailyTicks(h, m))
        }),
        { numRuns: 15 }
      )
    }
  })

  it("at each hour, or every few minutes: as often as the clock shows it", () => {
    for (const { from, timezone, to } of around) {
      const minutes = localMinutes(timezone, from, to)
      fc.assert(
        fc.property(minute, (m) => {
          const ticks = ticksBetween({ ...plain, cron: `${m} * * * *`, timezone }, from - 1, to - minuteMs)
          const shown = minutes.matching(({ minute }) => minute === m)
          // An hour whose minute lies in a gap runs where the gap ends.
          for (const at of shown) assert.include(ticks, at)
          for (const at of ticks)
            assert.isTrue(shown.includes(at) || minutes.gapEnds.includes(at), new Date(at).toISOString())
        }),
        { numRuns: 8 }
      )
      const often = ticksBetween({ ...plain, cron: "*/10 * * * *", timezone }, from - 1, to - minuteMs)
      for (const at of minutes.matching(({ minute }) => minute % 10 === 0)) assert.include(often, at)
      assert.lengthOf([...new Set(often)], often.length)
    }
  })
})

describe("ticks", () => {
  it("follow each other without a hole, however they are asked for", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("*/7 * * * *", "30 2 * * *", "0 */5 * * 1-5", "15 3 1,15 * *", "*/10 * * * * *"),
        fc.constantFrom(...zones.map(({ timezone }) => timezone), "UTC"),
        fc.integer({ min: Date.parse("2026-01-01"), max: Date.parse("2026-12-01") }),
        fc.integer({ min: 1, max: 300 }),
        (cron, timezone, after, count) => {
          const schedule = { ...plain, cron, timezone }
          const next = nextTicks(schedule, after, count)
          assert.lengthOf(next, count)
          assert.deepStrictEqual(ticksBetween(schedule, after, next.at(-1)!), next)
          const middle = next[Math.floor(count / 2)]!
          assert.deepStrictEqual(
            [...ticksBetween(schedule, after, middle), ...ticksBetween(schedule, middle, next.at(-1)!)],
            next
          )
        }
      ),
      { numRuns: 15 }
    )
  })

  it("of a long pause are the newest ones, and no more than are listed at once", () => {
    for (const { timezone } of zones) {
      const schedule = { ...plain, cron: "* * * * *", timezone }
      const upTo = Date.parse("2026-10-25T03:00Z")
      const ticks = ticksBetween(schedule, upTo - 30 * dayMs, upTo)
      assert.lengthOf(ticks, mostTicks)
      assert.deepStrictEqual(ticks, ticksBetween(schedule, ticks[0]! - 1, upTo))
      assert.strictEqual(ticks.at(-1), upTo)
    }
  })

  it("are delayed by their jitter, each the same everywhere", () => {
    const schedule = { ...plain, jitterMs: 600_000 }
    const ticks = nextTicks(schedule, Date.parse("2026-01-01"), 200)
    const delays = ticks.map((tick) => startOf("docs", schedule, tick) - tick)
    for (const delay of delays) assert.isTrue(delay >= 0 && delay < 600_000)
    assert.isAbove(new Set(delays).size, 150)
    assert.deepStrictEqual(
      ticks.map((tick) => startOf("docs", schedule, tick) - tick),
      delays
    )
    assert.notDeepEqual(
      ticks.map((tick) => startOf("other", schedule, tick) - tick),
      delays
    )
    assert.strictEqual(startOf("docs", plain, ticks[0]!), ticks[0])
  })
})
