import { Duration, Schema } from "effect"

const longest = Duration.toMillis("1 day")

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
  const millis = Number(amount) * factor
  return millis <= longest ? millis : undefined
}

/** A time as people write it in a file: `90` (seconds), `30s`, `10 minutes`, `1h`; at most a day. */
export const TimeSpan = Schema.Union([Schema.Finite, Schema.String]).check(
  Schema.makeFilter((written) => read(written) !== undefined, {
    expected: 'a time of at most a day, such as 90 (seconds), "30s", "10 minutes" or "1h"'
  })
)

/** The milliseconds of a {@link TimeSpan} that has been checked. */
export const millisOf = (span: typeof TimeSpan.Type): number => read(span) ?? 0
