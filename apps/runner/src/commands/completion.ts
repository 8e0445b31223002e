import { Effect } from "effect"
import { Argument, Command, Completions } from "effect/cli"
import { printResult } from "../Output.ts"

/** Shells that a script can be printed for. */
export const shells = ["bash", "zsh", "fish", "powershell"] as const

/** `sluice completion`: the script by which a shell completes commands and flags of a command line. */
export const completionOf = (describe: () => Completions.CommandDescriptor) =>
  Command.make(
    "completion",
    { shell: Argument.Literals("SHELL", shells).pipe(Argument.withDescription(`One of ${shells.join(", ")}`)) },
    Effect.fnUntraced(function* ({ shell }) {
      yield* printResult(Completions.generate("sluice", shell, describe()))
    })
  ).pipe(Command.withDescription("Print the script by which a shell completes commands and flags"))
