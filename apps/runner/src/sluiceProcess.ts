import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Logger, Option } from "effect"
import { CliError as EffectCliError } from "effect/cli"
import { CliError, exitCodes } from "./CliError.ts"
import { ExitCodeWhenStopped } from "./ExitCodeWhenStopped.ts"
import { jsonLogger, Printed, tell } from "./Output.ts"
import { keepJsonPromise } from "./promisedJson.ts"
import { SecretBox, Secrets } from "./Secrets.ts"

/** Runs a command and answers what the process ends with; what went wrong has been told by then. */
export const sluiceProcess = <E>(
  command: (args: ReadonlyArray<string>) => Effect.Effect<number, E, NodeServices.NodeServices>,
  args: ReadonlyArray<string>
): Effect.Effect<number, never, NodeServices.NodeServices> =>
  Effect.suspend(() => {
    const secrets = new SecretBox()
    return command(args).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause as Cause.Cause<never>) : report(cause, args)
      ),
      Effect.onInterrupt(() =>
        keepJsonPromise(args, exitCodes.interrupted, "interrupted before the run had a receipt")
      ),
      Effect.provideService(Printed, { any: false }),
      Effect.provideService(Secrets, secrets),
      Effect.provide(Logger.layer([jsonLogger(secrets)]))
    )
  })

/** Tells what went wrong in sentences and answers the exit code. */
const report = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>, args: ReadonlyArray<string>) {
  const secrets = yield* Secrets
  const { exitCode, sentences } = describe(cause, secrets)
  for (const sentence of sentences) yield* tell(`sluice: ${sentence}`)
  yield* keepJsonPromise(args, exitCode, sentences.join("\n"))
  return exitCode
})

const describe = (
  cause: Cause.Cause<unknown>,
  secrets: SecretBox
): { readonly exitCode: number; readonly sentences: ReadonlyArray<string> } => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error instanceof CliError) return error
  if (!EffectCliError.isCliError(error)) {
    const stack = secrets.redact(Cause.pretty(cause))
    return { exitCode: exitCodes.failed, sentences: [`a defect of Sluice, please report it: ${stack}`] }
  }
  if (error._tag !== "ShowHelp") return { exitCode: exitCodes.invalid, sentences: [error.message] }
  if (error.errors.length === 0) return { exitCode: exitCodes.completed, sentences: [] }
  const sentences = error.errors.map(({ message }) => message.replaceAll("\n\n", ". ").replace(/\s+/g, " "))
  const help = `see: ${error.commandPath.join(" ")} --help`
  return { exitCode: exitCodes.invalid, sentences: [`${sentences.join("; ")}; ${help}`] }
}

/** Starts a command as this process. */
export const runProcess = (program: Effect.Effect<number, never, NodeServices.NodeServices>): void => {
  const stopped = { code: exitCodes.interrupted as number }
  const main = program.pipe(Effect.provideService(ExitCodeWhenStopped, stopped), Effect.provide(NodeServices.layer))
  NodeRuntime.runMain(main, {
    disableErrorReporting: true,
    teardown: (exit, onExit) =>
      onExit(
        Exit.isSuccess(exit) && typeof exit.value === "number"
          ? exit.value
          : Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
            ? stopped.code
            : exitCodes.failed
      )
  })
}
