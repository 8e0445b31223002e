import { Cron } from "croner"

/** Ticks closer than this are no schedule for paid work. */
const shortestGapMs = 2000

/** How many ticks are looked at to find the shortest gap: those of a minute of seconds, a day of hours, a year of days. */
const looked = 400

/** The ticks of a cron expression, in its zone. */
export const cronOf = (cron: string, timezone: string): Cron =>
  new Cron(cron, { timezone, paused: true, mode: "5-or-6-parts" })

/** What is wrong with a cron expression, as a sentence; undefined where nothing is. */
export const cronProblem = (cron: string, timezone: string): string | undefined => {
  let ticks: ReadonlyArray<Date>
  try {
    ticks = cronOf(cron, timezone).nextRuns(looked)
  } catch (error) {
    const why =
      error instanceof Error ? error.message.replace(/^Cron\w+: /, "").replace(/\.$/, "") : "it cannot be read"
    return `${JSON.stringify(cron)} is no cron expression (${why}): write five fields, minute hour day month weekday, such as "0 3 * * *"`
  }
  if (ticks.length === 0) return `${JSON.stringify(cron)} never runs: there is no such date`
  const closest = ticks.findIndex((tick, at) => at > 0 && tick.getTime() - ticks[at - 1]!.getTime() < shortestGapMs)
  if (closest > 0)
    return `${JSON.stringify(cron)} runs every second: ticks must be at least ${shortestGapMs / 1000} seconds apart`
  return undefined
}
