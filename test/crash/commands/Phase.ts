import { Effect } from "effect"
import type { Executioner } from "../Executioner.ts"

/** What the commands do that submit nothing. A kill log names these steps. */
const steps = {
  migrate: ["lock", "read of ids", "schema", "table of ids", "migration", "record of id", "commit"],
  "dlq replay": ["read of dead letters", "lock of dead letters", "copy", "other statement", "settlement", "commit"],
  gc: ["list", "question", "read of object", "removal", "end of uploads"]
} as const
export type Step = (typeof steps)[keyof typeof steps][number]

/** An instant a process can be killed at. During a step: it was asked for, and its answer was not read. */
export type Phase = `${"before" | "during" | "after"} ${Step}`

export const phases: ReadonlyArray<Phase> = Object.values(steps)
  .flat()
  .flatMap((step) => [`before ${step}` as const, `during ${step}` as const, `after ${step}` as const])

/** What decides when a process dies. */
export type Fate = Pick<Executioner<Phase>, "at" | "soon">

/** A step with its three phases. */
export const phased = <A, E, R>(fate: Fate, step: Step, work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  fate
    .at(`before ${step}`)
    .pipe(Effect.andThen(fate.soon(`during ${step}`)), Effect.andThen(work), Effect.tap(fate.at(`after ${step}`)))
