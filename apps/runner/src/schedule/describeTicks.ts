import type { Schedule } from "./Schedule.ts"

/** A tick for people: in UTC and in the schedule's zone, and whether it is paused or beside a change of the clocks. */
export interface DescribedTick {
  readonly at: string
  readonly local: string
  readonly note?: string
}

const dayMs = 86_400_000

/** Ticks for people. */
export const describeTicks = (
  { pauses, timezone }: Pick<Schedule, "pauses" | "timezone">,
  ticks: ReadonlyArray<number>
): ReadonlyArray<DescribedTick> => {
  const local = new Intl.DateTimeFormat("en-CA", {
    timeZone: timezone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    weekday: "short",
    timeZoneName: "longOffset"
  })
  const offset = (instant: number): string =>
    local
      .formatToParts(instant)
      .find(({ type }) => type === "timeZoneName")
      ?.value.replace("GMT", "UTC") ?? "UTC"
  return ticks.map((tick, at) => {
    const parts = Object.fromEntries(local.formatToParts(tick).map(({ type, value }) => [type, value]))
    const zone = offset(tick)
    const before = offset(ticks[at - 1] ?? tick - dayMs)
    const notes = [
      ...(pauses.some(({ from, to }) => from <= tick && tick < to) ? ["paused"] : []),
      ...(before === zone ? [] : [`the clocks have changed from ${before} to ${zone}`])
    ]
    return {
      at: new Date(tick).toISOString(),
      local: `${parts.weekday} ${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second} ${zone} ${timezone}`,
      ...(notes.length === 0 ? {} : { note: notes.join("; ") })
    }
  })
}
