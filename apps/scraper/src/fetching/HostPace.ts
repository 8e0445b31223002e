import type { PageFailure } from "../net/PageFailure.ts"
import type { Settings } from "../ScraperConfig.ts"

/** The numbers a pace is kept by; {@link Settings} says what each means. */
export type PaceLimits = Pick<
  Settings,
  "hostPauseMs" | "maxHostFailures" | "maxRetryAfterMs" | "maxSlowDownMs" | "slowAnswerMs" | "slowDownMs"
>

/** How much of its rest a host keeps after each answer that came without strain. */
const recovery = 0.7
/** The longest time that a host can ask to be left alone for: an hour. */
const longestPauseMs = 3_600_000

/**
 * How fast a host may be asked, by how it answers. Strain, which is a 429, a 503, no answer, or a slow one, lengthens the
 * rest between two requests; answers without it shorten it again. A host that gives no answer many times in a row, or asks
 * to be left alone for long, is paused. Times are milliseconds.
 */
export class HostPace {
  private readonly limits: PaceLimits
  private restMs = 0
  private notBefore = 0
  private pausedUntil = 0
  private failuresInARow = 0

  constructor(limits: PaceLimits) {
    this.limits = limits
  }

  /** The end of the pause, if the host is paused. */
  pausedAt(now: number): number | undefined {
    return this.pausedUntil > now ? this.pausedUntil : undefined
  }

  /** When a host may be asked that may not be before `start` anyway. */
  earliest(start: number): number {
    return Math.max(start, this.notBefore)
  }

  /** The least time between the starts of two requests, where `delayMs` is asked for anyway. */
  interval(delayMs: number): number {
    return Math.max(delayMs, this.restMs)
  }

  /** Takes in an answer that was as it should be. */
  answered(durationMs: number): void {
    this.failuresInARow = 0
    if (durationMs >= this.limits.slowAnswerMs) this.restMs = Math.max(this.restMs, this.bounded(durationMs))
    else this.recover()
  }

  /** Takes in a failure, be it an answer of the host or the lack of one. */
  failed(failure: PageFailure, durationMs: number, now: number): void {
    const { hostPauseMs, maxHostFailures, maxRetryAfterMs } = this.limits
    const { httpStatus, retryAfterMs } = failure
    if (httpStatus !== null) {
      this.failuresInARow = 0
      if (httpStatus !== 429 && httpStatus !== 503) {
        this.answered(durationMs)
        return
      }
      this.slowDown()
      if (retryAfterMs === undefined) return
      if (retryAfterMs > maxRetryAfterMs) this.pausedUntil = now + Math.min(retryAfterMs, longestPauseMs)
      else this.notBefore = Math.max(this.notBefore, now + retryAfterMs)
      return
    }
    if (!unanswered.has(failure.code)) return
    if (strained.has(failure.code)) this.slowDown()
    if (++this.failuresInARow < maxHostFailures) return
    this.pausedUntil = now + hostPauseMs
    // One more after the pause, and it is paused again.
    this.failuresInARow = maxHostFailures - 1
  }

  private slowDown(): void {
    this.restMs = this.bounded(Math.max(this.restMs * 2, this.limits.slowDownMs))
  }

  private recover(): void {
    this.restMs *= recovery
    if (this.restMs < Math.max(1, this.limits.slowDownMs / 4)) this.restMs = 0
  }

  private bounded(restMs: number): number {
    return Math.min(restMs, this.limits.maxSlowDownMs)
  }
}

const strained = new Set(["TIMEOUT", "CONNECTION_ERROR"])
const unanswered = new Set([...strained, "DNS_ERROR", "TLS_ERROR", "PROTOCOL_ERROR"])
