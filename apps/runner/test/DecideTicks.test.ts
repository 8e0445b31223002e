import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { decideTicks, missedAfterMs } from "../src/schedule/decideTicks.ts"
import type { Schedule } from "../src/schedule/Schedule.ts"
import { ticksBetween } from "../src/schedule/ticksOf.ts"
import { planAction } from "../src/worker/planAction.ts"
import { retryPause, retryPauses } from "../src/worker/retryPause.ts"
import { waitForOthers, waits } from "../src/worker/waitForOthers.ts"

const hourMs = 3_600_000
const hourly: Schedule = {
  cron: "0 * * * *",
  timezone: "Europe/Berlin",
  jitterMs: 0,
  overlap: "skip",
  catchUp: "latest",
  windowMs: 0,
  pauses: []
}
const at = (text: string): number => Date.parse(text)
const decided = (schedule: Schedule, since: string, now: string) =>
  decideTicks("docs", schedule, at(since), at(now)).map(
    ({ dueAt, state }) => `${new Date(dueAt).toISOString().slice(11, 16)} ${state}`
  )

describe("what becomes of ticks", () => {
  it("is that they run, when they are found in time, whatever is caught up", () => {
    for (const catchUp of ["none", "latest", "all"] as const)
      assert.deepStrictEqual(
        decided({ ...hourly, catchUp, windowMs: hourMs }, "2026-05-01T09:59:00Z", "2026-05-01T10:00:03Z"),
        ["10:00 due"]
      )
  })

  it("follows the policy where they were missed", () => {
    const over = ["2026-05-01T05:30:00Z", "2026-05-01T09:30:00Z"] as const
    assert.deepStrictEqual(decided({ ...hourly, catchUp: "none" }, ...over), [
      "06:00 missed",
      "07:00 missed",
      "08:00 missed",
      "09:00 missed"
    ])
    assert.deepStrictEqual(decided(hourly, ...over), ["06:00 missed", "07:00 missed", "08:00 missed", "09:00 due"])
    assert.deepStrictEqual(decided({ ...hourly, catchUp: "all", windowMs: 2 * hourMs }, ...over), [
      "06:00 missed",
      "07:00 missed",
      "08:00 due",
      "09:00 due"
    ])
    // One that was found in time takes the place of those that were missed.
    assert.deepStrictEqual(decided(hourly, "2026-05-01T07:30:00Z", "2026-05-01T09:00:01Z"), [
      "08:00 missed",
      "09:00 due"
    ])
  })

  it("is nothing in a pause, and what is caught up lies outside of it", () => {
    const pauses = [{ from: at("2026-05-01T08:00:00Z"), to: at("2026-05-01T09:00:00Z") }]
    assert.deepStrictEqual(decided({ ...hourly, pauses }, "2026-05-01T06:30:00Z", "2026-05-01T08:30:00Z"), [
      "07:00 due",
      "08:00 paused"
    ])
  })

  it("is decided once for each tick, however often it is looked", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("none" as const, "latest" as const, "all" as const),
        fc.array(fc.integer({ min: 1, max: 5 * hourMs }), { minLength: 1, maxLength: 40 }),
        (catchUp, gaps) => {
          const schedule: Schedule = { ...hourly, cron: "*/20 * * * *", catchUp, windowMs: 2 * hourMs }
          const start = at("2026-10-24T22:00:00Z")
          let since = start
          const all = gaps.flatMap((gap) => {
            const now = since + gap
            const ticks = decideTicks("docs", schedule, since, now)
            for (const { dueAt, state } of ticks)
              if (now - dueAt <= missedAfterMs) assert.strictEqual(state, "due")
              else if (catchUp === "none") assert.strictEqual(state, "missed")
            if (catchUp === "latest" && ticks.length > 0) assert.strictEqual(ticks.at(-1)?.state, "due")
            since = now
            return ticks.map(({ dueAt }) => dueAt)
          })
          assert.deepStrictEqual(all, ticksBetween(schedule, start, since))
        }
      ),
      { numRuns: 100 }
    )
  })
})

describe("what a worker does", () => {
  const tick = { dueAt: 5, runId: "tick" }
  const nobody = { isOurs: false, isHolderDead: false }
  const open = { runId: "open", status: "running", holder: "host/1/a", leaseLeftMs: 9000 }
  const passed = { ...open, leaseLeftMs: -1 }
  const all = ["skip", "queue", "cancel_previous"] as const
  const plan = (
    next: typeof tick | undefined,
    run: typeof open | undefined,
    overlap: Schedule["overlap"],
    knowledge = nobody
  ) => planAction({ next, open: run }, { overlap }, knowledge)

  it("with no run open: begins the run of a tick", () => {
    for (const overlap of all) {
      assert.deepStrictEqual(plan(tick, undefined, overlap), { _tag: "Begin", ...tick })
      assert.deepStrictEqual(plan(undefined, undefined, overlap), { _tag: "Wait" })
      // Its own run has just ended.
      assert.deepStrictEqual(plan(tick, undefined, overlap, { ...nobody, isOurs: true }), { _tag: "Wait" })
    }
  })

  it("with a run that somebody carries out: by overlap", () => {
    for (const overlap of all) assert.deepStrictEqual(plan(undefined, open, overlap), { _tag: "Wait" })
    assert.deepStrictEqual(plan(tick, open, "skip"), { _tag: "Skip", ...tick })
    assert.deepStrictEqual(plan(tick, open, "queue"), { _tag: "Wait" })
    assert.deepStrictEqual(plan(tick, open, "cancel_previous"), { _tag: "Wait" })
    assert.deepStrictEqual(plan(tick, open, "cancel_previous", { ...nobody, isOurs: true }), {
      _tag: "Cancel",
      runId: "open"
    })
  })

  it("with a run whose worker has died, or gave it up: resumes it first", () => {
    for (const free of [passed, { ...open, holder: null as unknown as string }]) {
      for (const overlap of ["skip", "queue"] as const)
        for (const next of [tick, undefined])
          assert.deepStrictEqual(plan(next, free, overlap), { _tag: "Resume", runId: "open" })
      assert.deepStrictEqual(plan(tick, free, "cancel_previous"), { _tag: "Cancel", runId: "open" })
    }
    assert.deepStrictEqual(plan(undefined, open, "skip", { ...nobody, isHolderDead: true }), {
      _tag: "Resume",
      runId: "open"
    })
  })

  it("with a halted run: nothing that it would halt again for", () => {
    const halted = { ...passed, status: "halted" }
    assert.deepStrictEqual(plan(undefined, halted, "skip"), { _tag: "Wait" })
    assert.deepStrictEqual(plan(tick, halted, "queue"), { _tag: "Wait" })
    assert.deepStrictEqual(plan(tick, halted, "skip"), { _tag: "Skip", ...tick })
  })

  it("after failures: rests for longer each time, up to a bound", () => {
    assert.strictEqual(retryPause(1), retryPauses.first)
    assert.strictEqual(retryPause(2), 2 * retryPauses.first)
    assert.strictEqual(retryPause(1e6), retryPauses.longest)
  })
})

describe("the wait for emptier workers", () => {
  it("grows with the runs a worker has, up to a bound", () => {
    for (const what of ["begin", "takeOver"] as const) {
      assert.strictEqual(waitForOthers(0, what, false), 0)
      assert.isAbove(waitForOthers(2, what, false), waitForOthers(1, what, false))
      assert.strictEqual(waitForOthers(1e6, what, false), waits[what].longest)
    }
  })

  it("leaves what a stopped worker gave up to the one that is started in its place", () => {
    assert.strictEqual(waitForOthers(5, "resume", true), 0)
    assert.strictEqual(waitForOthers(0, "resume", false), waits.resume)
  })
})
