import { assert, describe, it } from "@effect/vitest"
import { type UsageEvent, UsageStats } from "../src/jobs/UsageStats.ts"

const hour = 3_600_000
const day = 24 * hour
const noon = 20_000 * day + 12 * hour

const page = (at: number, event: Partial<Extract<UsageEvent, { t: "page" }>> = {}): UsageEvent => ({
  t: "page",
  owner: "me",
  job: null,
  n: 0,
  at,
  ok: true,
  ms: 10,
  ...event
})

const statsOf = (...events: ReadonlyArray<UsageEvent>) => {
  const stats = new UsageStats()
  for (const event of events) stats.add(event)
  return stats
}

describe("UsageStats", () => {
  it("sums up the hours a range touches, and the as many before", () => {
    const stats = statsOf(
      page(noon - 3 * hour),
      page(noon - 2 * hour, { ok: false, ms: 50 }),
      page(noon - 1),
      page(noon),
      page(noon + hour - 1, { ms: 30 }),
      page(noon + hour),
      page(noon, { owner: "other" })
    )
    assert.deepStrictEqual(stats.sum("me", noon, noon + hour - 1), { ok: 2, failed: 0, ms: 40 })
    assert.deepStrictEqual(stats.sum("me", noon + 5, noon + hour), { ok: 3, failed: 0, ms: 50 })
    assert.deepStrictEqual(stats.sumBefore("me", noon + 5, noon + hour), { ok: 1, failed: 1, ms: 60 })
    assert.deepStrictEqual(stats.sum("me", noon + 2 * hour, noon), { ok: 0, failed: 0, ms: 0 })
    assert.strictEqual(stats.tokensOf("me"), 5)
    assert.strictEqual(stats.tokensOf("nobody"), 0)
  })

  it("gives days from midnight to midnight, in order, without empty ones", () => {
    const stats = statsOf(page(noon + day), page(noon - 13 * hour), page(noon), page(noon, { ok: false }))
    assert.deepStrictEqual(stats.days("me", noon - day, noon + 2 * day), [
      [noon - 36 * hour, { ok: 1, failed: 0, ms: 10 }],
      [noon - 12 * hour, { ok: 1, failed: 1, ms: 20 }],
      [noon + 12 * hour, { ok: 1, failed: 0, ms: 10 }]
    ])
  })

  it("counts a page of a job once, until the job is closed", () => {
    const of = (n: number) => page(noon, { job: "j", n })
    const stats = statsOf(of(1), of(2), of(1), of(2), of(3))
    assert.strictEqual(stats.countedOf("j"), 3)
    assert.strictEqual(stats.tokensOf("me"), 3)
    stats.add({ t: "closed", job: "j" })
    assert.strictEqual(stats.countedOf("j"), 0)
  })

  it("is the same after compaction, but for when old tokens were used", () => {
    const stats = statsOf(page(noon - 10 * day), page(noon), page(noon, { job: "j", n: 1 }), page(noon, { ok: false }))
    const again = statsOf(...stats.compacted(noon - day))
    assert.strictEqual(again.tokensOf("me"), 3)
    assert.strictEqual(again.countedOf("j"), 1)
    assert.deepStrictEqual(again.sum("me", noon, noon), { ok: 2, failed: 1, ms: 30 })
    assert.deepStrictEqual(again.sum("me", noon - 11 * day, noon - day), { ok: 0, failed: 0, ms: 0 })
    assert.deepStrictEqual(again.compacted(noon - day), stats.compacted(noon - day))
  })
})
