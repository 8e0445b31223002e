import { Effect } from "effect"
import { exitCodes } from "./CliError.ts"
import { Printed, printResult } from "./Output.ts"

/** The commands that print a receipt, a plan or findings. With `--json` they print one object, whatever happens. */
const printReceipts = ["run", "resume", "cancel", "publish", "probe", "plan", "doctor"]

/** Flags before a command that take the next argument. */
const takeNext = ["--log-level", "--env-file"]

const commandIn = (args: ReadonlyArray<string>): string =>
  args.find((arg, at) => !arg.startsWith("-") && !takeNext.includes(args[at - 1] ?? "")) ?? ""

/** How a command ended that printed no receipt. */
const statusOf = (exitCode: number): string => {
  const known = Object.entries(exitCodes).find(([, code]) => code === exitCode)
  return known?.[0] ?? "failed"
}

/**
 * Prints what a program reads in the place of a receipt, where a command promised one and did not come so far: `status`, `exit_code`
 * and `reason`.
 */
export const keepJsonPromise = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  exitCode: number,
  reason: string
) {
  const isPromised = printReceipts.includes(commandIn(args)) && args.some((arg) => /^--json(=true)?$/.test(arg))
  const printed = yield* Printed
  if (!isPromised || printed.any || exitCode === exitCodes.completed) return
  yield* printResult(JSON.stringify({ status: statusOf(exitCode), exit_code: exitCode, reason }))
})
