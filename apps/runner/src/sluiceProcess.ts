import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Logger, Option } from "effect"
import { CliError } from "effect/cli"
import { jsonLogger, tell } from "./Output.ts"
import { exitCodes, Refusal } from "./Refusal.ts"
import { SecretBox, Secrets } from "./Secrets.ts"

/** Runs a command and answers what the process ends with; whatever went wrong has been told by then. */
export const sluiceProcess = <E>(
  command: (args: ReadonlyArray<string>) => Effect.Effect<number, E, NodeServices.NodeServices>,
  args: ReadonlyArray<string>
): Effect.Effect<number, never, NodeServices.NodeServices> =>
  Effect.suspend(() => {
    const secrets = new SecretBox()
    return command(args).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause as Cause.Cause<never>) : report(cause)
      ),
      Effect.provideService(Secrets, secrets),
      Effect.provide(Logger.layer([jsonLogger(secrets)]))
    )
  })

/** Tells what went wrong in sentences and answers the exit code. */
const report = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>) {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error instanceof Refusal) {
    for (const sentence of error.sentences) yield* tell(`sluice: ${sentence}`)
    return error.exitCode
  }
  if (CliError.isCliError(error)) {
    if (error._tag !== "ShowHelp") {
      yield* tell(`sluice: ${error.message}`)
      return exitCodes.invalid
    }
    if (error.errors.length === 0) return exitCodes.completed
    const sentences = error.errors.map(({ message }) => message.replaceAll("\n\n", ". ").replace(/\s+/g, " "))
    yield* tell(`sluice: ${sentences.join("; ")}; see: ${error.commandPath.join(" ")} --help`)
    return exitCodes.invalid
  }
  yield* tell(`sluice: a defect of Sluice, please report it: ${Cause.pretty(cause)}`)
  return exitCodes.failed
})

/** Starts a command as this process. */
export const runProcess = (program: Effect.Effect<number, never, NodeServices.NodeServices>): void =>
  program.pipe(Effect.provide(NodeServices.layer), (main) =>
    NodeRuntime.runMain(main, {
      disableErrorReporting: true,
      teardown: (exit, onExit) =>
        onExit(
          Exit.isSuccess(exit) && typeof exit.value === "number"
            ? exit.value
            : Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
              ? exitCodes.interrupted
              : exitCodes.failed
        )
    })
  )
