import type { TickDecision } from "@sluice/sink-postgres"
import type { Schedule } from "./Schedule.ts"
import { startOf, ticksBetween } from "./ticksOf.ts"

/** A tick that is found this late was missed: no worker ran when it was due. A worker looks every few seconds. */
export const missedAfterMs = 120_000

/** The most ticks that were missed and are recorded one by one. */
const mostMissed = 100

/**
 * What becomes of the ticks between two instants, oldest first. Those that are found in time are due. Of those that were missed, the
 * latest is with `catch_up: latest`, unless a later one was found in time; those within the window are with `all`, and none is with
 * `none`. Ticks within a pause never run.
 */
export const decideTicks = (
  pipeline: string,
  schedule: Schedule,
  since: number,
  now: number
): ReadonlyArray<TickDecision> => {
  const ticks = ticksBetween(schedule, since, now)
  const isPaused = (tick: number) => schedule.pauses.some(({ from, to }) => from <= tick && tick < to)
  const latest = ticks.findLast((tick) => !isPaused(tick))
  const runs = (tick: number): boolean => {
    if (now - tick <= missedAfterMs) return true
    if (schedule.catchUp === "latest") return tick === latest
    return schedule.catchUp === "all" && now - tick <= schedule.windowMs
  }
  const decided = ticks.map(
    (tick): TickDecision => ({
      dueAt: tick,
      startAt: startOf(pipeline, schedule, tick),
      state: isPaused(tick) ? "paused" : runs(tick) ? "due" : "missed"
    })
  )
  const listed = new Set(decided.filter(({ state }) => state !== "due").slice(-mostMissed))
  return decided.filter((decision) => decision.state === "due" || listed.has(decision))
}
