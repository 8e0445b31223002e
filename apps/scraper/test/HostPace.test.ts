import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import fc from "fast-check"
import { HostPace } from "../src/fetching/HostPace.ts"
import { finalFailure, PageFailure, transientFailure } from "../src/net/PageFailure.ts"
import { withDefaults } from "../src/ScraperConfig.ts"

const limits = withDefaults({ apiKeys: [Redacted.make("k")] })
const busy = transientFailure("RATE_LIMITED", "busy", 429)
const silent = transientFailure("TIMEOUT", "silent")
const asking = (retryAfterMs: number) =>
  new PageFailure({ code: "HTTP_ERROR", message: "later", retryable: true, httpStatus: 503, retryAfterMs })

describe("HostPace", () => {
  it("rests twice as long with each sign of strain, up to the bound, and recovers with answers", () => {
    const pace = new HostPace(limits)
    const rests = Array.from({ length: 9 }, () => {
      pace.failed(busy, 5, 0)
      return pace.interval(100)
    })
    assert.deepStrictEqual(rests, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    let answers = 0
    for (; pace.interval(0) > 0; answers++) pace.answered(5)
    assert.isBelow(answers, 20)
  })

  it("gives a slow host as long to rest as it takes to answer", () => {
    const pace = new HostPace(limits)
    pace.answered(1999)
    assert.strictEqual(pace.interval(100), 100)
    pace.answered(5000)
    assert.strictEqual(pace.interval(100), 5000)
    pace.answered(100_000)
    assert.strictEqual(pace.interval(100), limits.maxSlowDownMs)
  })

  it("waits as long as a host asks, and pauses one that asks for more", () => {
    const pace = new HostPace(limits)
    pace.failed(asking(20_000), 5, 1000)
    assert.strictEqual(pace.earliest(0), 21_000)
    assert.isUndefined(pace.pausedAt(1000))
    pace.failed(asking(120_000), 5, 1000)
    assert.strictEqual(pace.pausedAt(1000), 121_000)
    pace.failed(asking(1e12), 5, 1000)
    assert.strictEqual(pace.pausedAt(1000), 3_601_000)
    assert.isUndefined(pace.pausedAt(3_601_000))
  })

  it("pauses a host that answers nothing many times in a row, and again after one more", () => {
    const pace = new HostPace(limits)
    for (let n = 1; n < limits.maxHostFailures; n++) pace.failed(silent, 5, 0)
    pace.failed(finalFailure("HTTP_ERROR", "gone", 404), 5, 0)
    for (let n = 1; n < limits.maxHostFailures; n++) pace.failed(silent, 5, 0)
    assert.isUndefined(pace.pausedAt(0))
    pace.failed(silent, 5, 0)
    assert.strictEqual(pace.pausedAt(0), limits.hostPauseMs)
    assert.isUndefined(pace.pausedAt(limits.hostPauseMs))
    pace.failed(silent, 5, limits.hostPauseMs)
    assert.strictEqual(pace.pausedAt(limits.hostPauseMs), 2 * limits.hostPauseMs)
  })

  it("does not blame the host for what the server refuses", () => {
    const pace = new HostPace(limits)
    for (let n = 0; n < 50; n++) pace.failed(finalFailure("BLOCKED_TARGET", "private"), 5, 0)
    assert.isUndefined(pace.pausedAt(0))
    assert.strictEqual(pace.interval(0), 0)
  })

  it("never rests less than is asked for, nor more than it may", () => {
    const event = fc.oneof(
      fc.nat(100_000).map((ms) => ({ ms })),
      fc.constantFrom(busy, silent, finalFailure("TLS_ERROR", "x")).map((failure) => ({ failure }))
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.nat(20_000), (events, delay) => {
        const pace = new HostPace(limits)
        for (const each of events) {
          if ("failure" in each) pace.failed(each.failure, 1, 0)
          else pace.answered(each.ms)
          assert.isAtLeast(pace.interval(delay), delay)
          assert.isAtMost(pace.interval(delay), Math.max(delay, limits.maxSlowDownMs))
        }
      }),
      { numRuns: 100 }
    )
  })
})
