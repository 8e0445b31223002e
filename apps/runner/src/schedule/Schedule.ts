import { Schema } from "effect"
import { millisOf, timeSpanUpTo } from "../TimeSpan.ts"
import { cronProblem } from "./cronPattern.ts"

/** The largest delay a tick may get, and how far back `catch_up: all` may look. */
const longestJitter = "1 hour"
const longestWindow = "31 days"

const TimeZone = Schema.NonEmptyString.check(
  Schema.makeFilter(isTimeZone, { expected: 'a time zone of the IANA database, such as "Europe/Berlin"' })
)

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name })
    return true
  } catch {
    return false
  }
}

const Instant = Schema.String.check(
  Schema.makeFilter(
    (text) => /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(Date.parse(text)),
    {
      expected: 'a date or an instant with its offset, such as "2026-12-24" (UTC) or "2026-12-24T18:00:00+01:00"'
    }
  )
)

const Pause = Schema.Struct({
  from: Instant,
  to: Instant
}).check(
  Schema.makeFilter(({ from, to }) => Date.parse(from) < Date.parse(to), {
    expected: "a pause that ends after it begins"
  })
)

const cronOrIssue = (cron: string, timezone = "UTC") =>
  // A zone that is none has a sentence of its own.
  isTimeZone(timezone) ? cronProblem(cron, timezone) : undefined

const CronText = Schema.String.check(Schema.makeFilter((cron) => cronOrIssue(cron)))

const ScheduleFields = Schema.Struct({
  cron: Schema.String,
  timezone: Schema.optionalKey(TimeZone),
  jitter: Schema.optionalKey(timeSpanUpTo(longestJitter, "an hour")),
  overlap: Schema.optionalKey(Schema.Literals(["skip", "queue", "cancel_previous"])),
  catch_up: Schema.optionalKey(Schema.Literals(["none", "latest", "all"])),
  catch_up_window: Schema.optionalKey(timeSpanUpTo(longestWindow, "31 days")),
  pause: Schema.optionalKey(Schema.Array(Pause))
}).check(
  Schema.makeFilter(({ cron, timezone }) => {
    const problem = cronOrIssue(cron, timezone)
    return problem === undefined ? undefined : { path: ["cron"], issue: problem }
  }),
  Schema.makeFilter(({ catch_up, catch_up_window }) =>
    (catch_up === "all") === (catch_up_window !== undefined)
      ? undefined
      : {
          path: ["catch_up_window"],
          issue:
            catch_up === "all"
              ? "catch_up: all needs catch_up_window, which says how far back missed ticks run"
              : "catch_up_window is for catch_up: all"
        }
  )
)

/** When a worker runs the pipeline: a cron expression alone, or with its time zone and policies. `fieldTexts` describes each field. */
export const ScheduleConfig = Schema.Union([CronText, ScheduleFields]).annotate({
  identifier: "Schedule",
  description: "When `sluice worker` runs this pipeline: a cron expression, or one with time zone and policies."
})

/** A schedule with all its settings. Times are in milliseconds, instants epoch milliseconds. */
export interface Schedule {
  readonly cron: string
  readonly timezone: string
  readonly jitterMs: number
  readonly overlap: "skip" | "queue" | "cancel_previous"
  readonly catchUp: "none" | "latest" | "all"
  readonly windowMs: number
  readonly pauses: ReadonlyArray<{ readonly from: number; readonly to: number }>
}

/** The schedule that a file describes. */
export const scheduleOf = (config: typeof ScheduleConfig.Type): Schedule => {
  const written = typeof config === "string" ? { cron: config } : config
  return {
    cron: written.cron,
    timezone: written.timezone ?? "UTC",
    jitterMs: written.jitter === undefined ? 0 : millisOf(written.jitter),
    overlap: written.overlap ?? "skip",
    catchUp: written.catch_up ?? "latest",
    windowMs: written.catch_up_window === undefined ? 0 : millisOf(written.catch_up_window),
    pauses: (written.pause ?? []).map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) }))
  }
}
