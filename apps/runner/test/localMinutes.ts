/** A minute as clocks of a zone show it. */
export interface LocalMinute {
  readonly at: number
  readonly day: string
  readonly hour: number
  readonly minute: number
}

const minuteMs = 60_000

/** All minutes between two instants as the clocks of a zone show them, by the zone data of the platform: an oracle for ticks. */
export const localMinutes = (timezone: string, from: number, to: number) => {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: timezone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23"
  })
  const all: Array<LocalMinute> = []
  for (let at = from; at < to; at += minuteMs) {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
    const day = `${parts.year}-${parts.month}-${parts.day}`
    all.push({ at, day, hour: Number(parts.hour), minute: Number(parts.minute) })
  }
  const ofDay = ({ hour, minute }: LocalMinute) => hour * 60 + minute
  /** The first minutes after clocks were put forward. */
  const gapEnds = all
    .filter(
      (shown, index) =>
        index > 0 && (ofDay(shown) - ofDay(all[index - 1]!) + 1440) % 1440 > 1 && isForward(all[index - 1]!, shown)
    )
    .map(({ at }) => at)

  const matching = (test: (minute: LocalMinute) => boolean) => all.filter(test).map(({ at }) => at)

  /** When a daily tick is due: the first time its minute is shown on a day, or where the gap ends that holds it. */
  const dailyTicks = (hour: number, minute: number): ReadonlyArray<number> => {
    const byDay = Map.groupBy(all, ({ day }) => day)
    return [...byDay.values()].flatMap((minutes) => {
      const shown = minutes.find((each) => each.hour === hour && each.minute === minute)
      if (shown !== undefined) return [shown.at]
      const gap = minutes.find((each) => gapEnds.includes(each.at))
      if (gap === undefined) return []
      const before = all[all.indexOf(gap) - 1]!
      const wanted = hour * 60 + minute
      return ofDay(before) < wanted && wanted < ofDay(gap) ? [gap.at] : []
    })
  }
  return { gapEnds, matching, dailyTicks }
}

const isForward = (before: LocalMinute, after: LocalMinute): boolean =>
  before.day === after.day
    ? after.hour * 60 + after.minute > before.hour * 60 + before.minute
    : after.hour * 60 + after.minute > 0
