import { Schema } from "effect"

/** What a `sluice` process ends with. */
export const exitCodes = {
  completed: 0,
  failed: 1,
  invalid: 2,
  stopped_budget: 3,
  incomplete: 4,
  halted: 5,
  differs: 6,
  interrupted: 130
} as const

/** Why a command does not go on: sentences for the user, one a line, and the exit code. */
export class Refusal extends Schema.TaggedError<Refusal>()("Refusal", {
  sentences: Schema.NonEmptyArray(Schema.String),
  exitCode: Schema.Int
}) {
  override get message(): string {
    return this.sentences.join("\n")
  }
}

/** Bad input: nothing was done. */
export const invalid = (...sentences: readonly [string, ...Array<string>]): Refusal =>
  new Refusal({ sentences, exitCode: exitCodes.invalid })

/** Something outside did not work. */
export const failed = (...sentences: readonly [string, ...Array<string>]): Refusal =>
  new Refusal({ sentences, exitCode: exitCodes.failed })
