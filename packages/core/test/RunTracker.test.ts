import { assert, describe, it } from "@effect/vitest"
import type { JobStatus } from "@sluice/contract"
import type { JobSnapshot } from "../src/record/JobSnapshot.ts"
import { noTally } from "../src/record/Tally.ts"
import { RunTracker } from "../src/run/acquire/RunTracker.ts"

const run = { runId: "run", epoch: 1 }
const snapshot = (jobId: string, status: JobStatus, completed: number, observedAt: number): JobSnapshot => ({
  jobId,
  kind: "crawl",
  url: "https://site.test/",
  status,
  discovered: 100,
  completed,
  failed: 0,
  cancelled: 0,
  tokensCharged: completed,
  tokensReserved: 100 - completed,
  observedAt
})

describe("RunTracker", () => {
  it("adds up the latest snapshot of each job", () => {
    const tracker = new RunTracker(7)
    tracker.observe(snapshot("a", "processing", 10, 1))
    tracker.observe(snapshot("b", "processing", 5, 2))
    tracker.observe(snapshot("a", "processing", 30, 3))
    assert.deepStrictEqual(tracker.progress.pages, {
      discovered: 200,
      completed: 35,
      failed: 0,
      cancelled: 0,
      delivered: 0
    })
    assert.deepStrictEqual(tracker.progress.tokens, { charged: 35, reserved: 165 })
    assert.deepInclude(tracker.progress, { startedAt: 7, jobs: 2 })
  })

  it("does not let a stale answer undo a later state, in whichever order answers arrive", () => {
    const tracker = new RunTracker(0)
    tracker.observe(snapshot("a", "processing", 30, 1))
    tracker.observe(snapshot("a", "processing", 10, 2))
    assert.strictEqual(tracker.progress.pages.completed, 30)
    tracker.observe(snapshot("a", "completed", 100, 3))
    tracker.observe(snapshot("a", "processing", 100, 4))
    assert.deepStrictEqual(
      tracker.jobs.map(({ status }) => status),
      ["completed"]
    )
  })

  it("lets a later state be the later one for stores too, though the clock of this process is behind", () => {
    const tracker = new RunTracker(0)
    tracker.observe(snapshot("a", "processing", 30, 5_000))
    tracker.observe(snapshot("a", "completed", 100, 2_000))
    assert.deepStrictEqual(tracker.jobs, [snapshot("a", "completed", 100, 5_001)])
  })

  it("puts into a segment the jobs that have moved since the one before", () => {
    const tracker = new RunTracker(0)
    assert.isUndefined(tracker.segment(run, [], 0))
    tracker.observe(snapshot("a", "processing", 1, 1))
    tracker.observe(snapshot("b", "processing", 1, 1))
    const both = tracker.segment(run, [], 0)
    assert.deepInclude(both, { ...run, seq: 1 })
    assert.deepStrictEqual(
      both?.jobs.map(({ jobId }) => jobId),
      ["a", "b"]
    )
    tracker.observe(snapshot("b", "processing", 2, 2))
    const one = tracker.segment(run, [], 0)
    assert.deepStrictEqual([one?.seq, one?.jobs.map(({ jobId }) => jobId)], [2, ["b"]])
    assert.isUndefined(tracker.segment(run, [], 0))
  })

  it("counts what each sink holds, and progress by the slowest", () => {
    const tracker = new RunTracker(0)
    const result = {
      rows: { pages: 2, links: 3, page_metadata: 2 },
      deadLetters: 1,
      tally: { ...noTally, completed: 1, without_links: 1 }
    }
    const jobs = ["a", "b"].map((id) => snapshot(id, "processing", 1, 1))
    tracker.addLoaded("a", result, jobs)
    tracker.addLoaded("a", result, jobs)
    tracker.addLoaded("b", result, jobs.slice(1))
    assert.deepStrictEqual(tracker.loaded("a"), {
      rows: { pages: 4, links: 6, page_metadata: 4, token_summaries: 2 },
      deadLetters: 2,
      tally: { ...noTally, completed: 2, without_links: 2 }
    })
    assert.strictEqual(tracker.loaded("c").rows.pages, 0)
    assert.strictEqual(tracker.progress.rows.pages, 2)
  })
})
