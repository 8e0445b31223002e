import { Schema } from "effect"

/**
 * What a run does where another process carries out a run of the same pipeline: `refuse` to begin, or `wait` until that has
 * ended and then begin.
 */
export const WhenRunning = Schema.Literals(["refuse", "wait"])
export type WhenRunning = typeof WhenRunning.Type

/** How long a run that waits may wait, in minutes. */
export const WaitMinutes = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_080 }))

/** {@link WhenRunning} with its bound. */
export interface Overlap {
  readonly whenRunning: WhenRunning
  readonly waitMinutes: number
}

const defaults: Overlap = { whenRunning: "refuse", waitMinutes: 60 }

/** The overlap settings of a pipeline, with defaults filled in. */
export const overlapOf = (given: {
  readonly when_running?: WhenRunning | undefined
  readonly wait_minutes?: number | undefined
}): Overlap => ({
  whenRunning: given.when_running ?? defaults.whenRunning,
  waitMinutes: given.wait_minutes ?? defaults.waitMinutes
})
