import { createHash } from "node:crypto"
import { cronOf } from "./cronPattern.ts"
import type { Schedule } from "./Schedule.ts"

/** The most ticks that are computed at once: what was missed beyond them is not listed. */
export const mostTicks = 1000

/** The next `count` ticks after an instant, oldest first; epoch milliseconds. */
export const nextTicks = ({ cron, timezone }: Schedule, after: number, count: number): ReadonlyArray<number> =>
  cronOf(cron, timezone)
    .nextRuns(Math.min(count, mostTicks), new Date(after))
    .map((tick) => tick.getTime())

/** The newest {@link mostTicks} ticks after one instant, up to and including another, oldest first. */
export const ticksBetween = ({ cron, timezone }: Schedule, after: number, upTo: number): ReadonlyArray<number> => {
  const pattern = cronOf(cron, timezone)
  const newest: Array<number> = []
  let at = pattern.nextRun(new Date(after))?.getTime()
  // Most calls find no tick, or one.
  for (; at !== undefined && at <= upTo; at = pattern.nextRun(new Date(at))?.getTime()) {
    if (newest.length === mostTicks) return newestTicks({ cron, timezone }, after, upTo)
    newest.push(at)
  }
  return newest
}

/** After a long pause of all workers: from the end, so that the work does not grow with the pause. */
const newestTicks = (
  { cron, timezone }: Pick<Schedule, "cron" | "timezone">,
  after: number,
  upTo: number
): ReadonlyArray<number> =>
  cronOf(cron, timezone)
    .previousRuns(mostTicks, new Date(upTo + 1000))
    .map((tick) => tick.getTime())
    .filter((tick) => tick > after && tick <= upTo)
    .sort((a, b) => a - b)

/** When a tick starts: up to the schedule's jitter later, and the same on every worker. */
export const startOf = (pipeline: string, { jitterMs }: Schedule, tick: number): number => {
  if (jitterMs === 0) return tick
  const hash = createHash("sha256").update(`${pipeline}\n${tick}`).digest().readUInt32BE(0)
  return tick + Math.floor((hash / 2 ** 32) * jitterMs)
}
