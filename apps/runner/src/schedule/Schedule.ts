import { Schema } from "effect"
import { millisOf, timeSpanUpTo } from "../TimeSpan.ts"
import { cronProblem } from "./cronPattern.ts"

/** The largest delay a tick may get, and how far back `catch_up: all` may look. */
const longestJitter = "1 hour"
const longestWindow = "31 days"

const TimeZone = Schema.NonEmptyString.check(
  Schema.makeFilter(isTimeZone, { expected: 'a time zone of the IANA database, such as "Europe/Berlin"' })
).annotate({ description: "The zone the cron expression is in, by its IANA name. Default: UTC." })

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
  from: Instant.annotate({ description: "When the pause begins." }),
  to: Instant.annotate({ description: "When the pause ends; a tick at this instant runs." })
}).check(
  Schema.makeFilter(({ from, to }) => Date.parse(from) < Date.parse(to), {
    expected: "a pause that ends after it begins"
  })
)

const cronOrIssue = (cron: string, timezone = "UTC") =>
  // A zone that is none has a sentence of its own.
  isTimeZone(timezone) ? cronProblem(cron, timezone) : undefined

const CronText = Schema.String.check(Schema.makeFilter((cron) => cronOrIssue(cron))).annotate({
  description:
    "A cron expression of five fields: minute, hour, day of the month, month, day of the week; a sixth in front is the second."
})

const ScheduleFields = Schema.Struct({
  cron: Schema.String.annotate({
    description:
      "A cron expression of five fields: minute, hour, day of the month, month, day of the week; a sixth in front is the second. Ticks are at least 2 seconds apart."
  }),
  timezone: Schema.optionalKey(TimeZone),
  jitter: Schema.optionalKey(
    timeSpanUpTo(longestJitter, "an hour").annotate({
      description:
        "The most a tick is delayed. Each tick has a delay of its own, the same on every worker. At most 1 hour. Default: 0."
    })
  ),
  overlap: Schema.optionalKey(
    Schema.Literals(["skip", "queue", "cancel_previous"]).annotate({
      description:
        "What a tick does while the run before has not ended: skip drops the tick, queue waits for the run, cancel_previous cancels it and loads what was paid for. Default: skip."
    })
  ),
  catch_up: Schema.optionalKey(
    Schema.Literals(["none", "latest", "all"]).annotate({
      description:
        "Which ticks run that were missed while no worker ran: none of them, the latest, or all within catch_up_window. Default: latest."
    })
  ),
  catch_up_window: Schema.optionalKey(
    timeSpanUpTo(longestWindow, "31 days").annotate({
      description: "With catch_up: all, how far back missed ticks run. At most 31 days."
    })
  ),
  pause: Schema.optionalKey(
    Schema.Array(Pause).annotate({ description: "When no tick runs. Ticks within a pause are not caught up." })
  )
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

/** When a worker runs the pipeline: a cron expression alone, or with its time zone and policies. */
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
