import { Duration, Schema } from "effect"

/** Units by their first letters, in milliseconds. */
const units = [
  [/^(?:ms|milli(?:second)?s?)$/, 1],
  [/^(?:|s|sec|secs|seconds?)$/, 1_000],
  [/^(?:m|min|mins|minutes?)$/, 60_000],
  [/^(?:h|hours?)$/, 3_600_000],
  [/^(?:d|days?)$/, 86_400_000]
] as const

/** The milliseconds of a {@link TimeSpan}; undefined where it is none. */
const read = (written: number | string): number | undefined => {
  const [, amount, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(String(written)) ?? []
  const factor = units.find(([names]) => names.test(unit.toLowerCase()))?.[1]
  if (amount === undefined || factor === undefined) return undefined
  return Number(amount) * factor
}

/** A time as people write it in a file: `90` (seconds), `30s`, `10 minutes`, `1h`; at most `longest`, which is `words`. */
export const timeSpanUpTo = (longest: Duration.Input, words: string) => {
  const most = Duration.toMillis(longest)
  return Schema.Union([Schema.Finite, Schema.String]).check(
    Schema.makeFilter((written) => (read(written) ?? Number.POSITIVE_INFINITY) <= most, {
      expected: `a time of at most ${words}, such as 90 (seconds), "30s", "10 minutes" or "1h"`
    })
  )
}

/** A time of at most a day. */
export const TimeSpan = timeSpanUpTo("1 day", "a day")

/** The milliseconds of a {@link TimeSpan} that has been checked. */
export const millisOf = (span: number | string): number => read(span) ?? 0
