import { assert, describe, it } from "@effect/vitest"
import type { JobStatus } from "@sluice/contract"
import type { JobSnapshot } from "../src/record/JobSnapshot.ts"
import { SlicePlan, type Step } from "../src/source/SlicePlan.ts"

const snapshot = (status: JobStatus, completed: number, discovered = completed): JobSnapshot => ({
  jobId: "job",
  kind: "crawl",
  url: "https://site.test/",
  status,
  discovered,
  completed,
  failed: 0,
  cancelled: 0,
  tokensCharged: completed,
  tokensReserved: 0,
  observedAt: 0
})

const full = (page: number) => ({ page, rows: 50, terminalRows: 50 })
const read = (afterPause: boolean, ...pages: ReadonlyArray<number>): Step => ({ _tag: "Read", afterPause, pages })
const newPlan = (seen = 0) => new SlicePlan({ maxSweeps: 2, seen })

describe("SlicePlan", () => {
  it("begins with the first slice", () => {
    assert.deepStrictEqual(newPlan().next(), read(true, 1))
  })

  it("stays at the first slice while nothing has ended", () => {
    const plan = newPlan()
    plan.next()
    plan.observe(snapshot("processing", 0, 10), { page: 1, rows: 10, terminalRows: 0 }, 0)
    assert.deepStrictEqual(plan.next(), read(true, 1))
  })

  it("is done as soon as an ended job adds up, without another read", () => {
    const plan = newPlan()
    plan.next()
    plan.observe(snapshot("completed", 3), { page: 1, rows: 3, terminalRows: 3 }, 3)
    assert.deepStrictEqual(plan.next(), { _tag: "Done", reconciled: true })
  })

  it("is done at once when everything was committed before", () => {
    const plan = newPlan(50)
    plan.next()
    plan.observe(snapshot("completed", 50), full(1), 50)
    assert.deepStrictEqual(plan.next(), { _tag: "Done", reconciled: true })
  })

  it("reads many slices at once where the counters promise them", () => {
    const plan = newPlan()
    plan.next()
    plan.observe(snapshot("processing", 200, 400), full(1), 50)
    assert.deepStrictEqual(plan.next(), read(false, 2, 3, 4))
  })

  it("does not go back to a closed slice while the job runs", () => {
    const plan = newPlan()
    plan.next()
    plan.observe(snapshot("processing", 50, 100), full(1), 50)
    assert.deepStrictEqual(plan.next(), read(true, 2))
  })

  it("sweeps an ended job that does not add up, then gives up", () => {
    const plan = newPlan()
    const seen: Array<Step> = [plan.next()]
    for (let step = 0; step < 20; step++) {
      plan.observe(snapshot("completed", 51), { page: 1, rows: 40, terminalRows: 40 }, 40)
      plan.observe(snapshot("completed", 51), { page: 2, rows: 0, terminalRows: 0 }, 40)
      const next = plan.next()
      seen.push(next)
      if (next._tag === "Done") break
    }
    assert.deepStrictEqual(seen, [read(true, 1), read(true, 1), read(true, 1), { _tag: "Done", reconciled: false }])
  })

  it("does not call a job reconciled that gave more pages than it counts", () => {
    const plan = newPlan()
    plan.next()
    for (let step = 0; ; step++) {
      assert.isBelow(step, 10)
      plan.observe(snapshot("completed", 4), { page: 1, rows: 5, terminalRows: 5 }, 5)
      const next = plan.next()
      if (next._tag === "Read") continue
      assert.isFalse(next.reconciled)
      break
    }
  })

  it("looks behind a short slice of an ended job that lacks pages", () => {
    const plan = newPlan()
    plan.next()
    plan.observe(snapshot("failed", 30, 60), { page: 1, rows: 25, terminalRows: 25 }, 25)
    assert.deepStrictEqual(plan.next(), read(true, 1))
    plan.observe(snapshot("failed", 30, 60), { page: 1, rows: 25, terminalRows: 25 }, 25)
    assert.deepStrictEqual(plan.next(), read(false, 2))
  })

  it("keeps the counters of an older answer from undoing newer ones", () => {
    const plan = newPlan()
    plan.next()
    plan.observe(snapshot("processing", 20, 40), { page: 1, rows: 20, terminalRows: 20 }, 20)
    plan.observe(snapshot("processing", 5, 10), { page: 1, rows: 5, terminalRows: 5 }, 20)
    assert.strictEqual(plan.snapshot?.completed, 20)
    plan.observe(snapshot("completed", 40), { page: 1, rows: 40, terminalRows: 40 }, 40)
    plan.observe(snapshot("processing", 45, 50), { page: 1, rows: 40, terminalRows: 40 }, 40)
    assert.strictEqual(plan.snapshot?.status, "completed")
  })

  it("shrinks down to single pages and keeps its place", () => {
    const plan = newPlan()
    plan.next()
    plan.observe(snapshot("processing", 50, 100), full(1), 50)
    plan.fit(49)
    assert.strictEqual(plan.pageSize, 25)
    assert.deepStrictEqual(plan.next(), read(true, 3))
    plan.fit(0.5)
    assert.strictEqual(plan.pageSize, 1)
    assert.deepStrictEqual(plan.next(), read(true, 51))
  })

  it("grows only where slices may be twice as large, and reads again what was read in part", () => {
    const plan = newPlan()
    plan.fit(5)
    plan.next()
    for (let page = 1; page <= 7; page++) {
      plan.observe(snapshot("processing", 35, 100), { page, rows: 5, terminalRows: 5 }, page * 5)
    }
    assert.deepStrictEqual(plan.next(), read(true, 8))
    plan.fit(49)
    assert.strictEqual(plan.pageSize, 5)
    plan.fit(50)
    assert.strictEqual(plan.pageSize, 25)
    assert.deepStrictEqual(plan.next(), read(true, 2))
  })
})
