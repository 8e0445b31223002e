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
export class CliError extends Schema.TaggedError<CliError>()("CliError", {
  sentences: Schema.NonEmptyArray(Schema.String),
  exitCode: Schema.Int
}) {
  override get message(): string {
    return this.sentences.join("\n")
  }
}

/** Bad input: nothing was done. */
export const invalid = (...sentences: readonly [string, ...Array<string>]): CliError =>
  new CliError({ sentences, exitCode: exitCodes.invalid })

/** Something outside did not work. */
export const failed = (...sentences: readonly [string, ...Array<string>]): CliError =>
  new CliError({ sentences, exitCode: exitCodes.failed })
