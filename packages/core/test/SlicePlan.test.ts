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

  /** Reads an ended job to its end: `rowsOf` is how many rows, all ended, a page holds. Answers the pages in order. */
  const readThrough = (counted: number, seen: number, rowsOf: (page: number) => number) => {
    const plan = newPlan()
    const pages: Array<number> = []
    for (let step = 0; step < 100; step++) {
      const next = plan.next()
      if (next._tag === "Done") return { pages, reconciled: next.reconciled }
      for (const page of next.pages) {
        pages.push(page)
        const rows = rowsOf(page)
        const slice = { page, rows, terminalRows: rows, print: rows === 0 ? 0n : BigInt(1 + page) }
        plan.observe(snapshot("completed", counted), slice, seen)
      }
    }
    return assert.fail("the plan does not end")
  }

  it("sweeps an ended job that does not add up, three slices beyond the last that shows something, then gives up", () => {
    const pass = [1, 2, 3, 4, 5]
    const read = readThrough(51, 40, (page) => (page === 1 ? 40 : 0))
    assert.deepStrictEqual(read, { pages: [...pass, ...pass, 0, ...pass], reconciled: false })
  })

  it("reads on behind short slices of an ended job while they show something", () => {
    const read = readThrough(60, 60, (page) => (page <= 6 ? 10 : 0))
    assert.isTrue(read.reconciled)
    const lacking = readThrough(70, 60, (page) => (page <= 6 ? 10 : 0))
    assert.deepStrictEqual(lacking.pages.slice(0, 9), [1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it("does not call a job reconciled that gave more pages than it counts", () => {
    assert.isFalse(readThrough(4, 5, (page) => (page === 1 ? 5 : 0)).reconciled)
  })

  it("calls a job reconciled whose counters went back, once all that they ever counted was seen", () => {
    const plan = newPlan()
    plan.next()
    plan.observe(snapshot("processing", 9), { page: 1, rows: 9, terminalRows: 9 }, 9)
    plan.observe(snapshot("completed", 7), { page: 1, rows: 9, terminalRows: 9 }, 9)
    assert.deepStrictEqual(plan.next(), { _tag: "Done", reconciled: true, fell: { from: 9, to: 7 } })
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
