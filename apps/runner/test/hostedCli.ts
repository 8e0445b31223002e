import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit } from "effect"
import { exitCodes } from "../src/CliError.ts"
import { runCli } from "../src/cli.ts"
import { sluiceProcess } from "../src/sluiceProcess.ts"
import type { HostedCommand, HostedEnd } from "./CliHost.ts"

/** What is resident after a command, at which a host is replaced: an embedded database takes a quarter of it. */
const mostResident = 1024 ** 3

const codeOf = (exit: Exit.Exit<number>): number => {
  if (Exit.isSuccess(exit)) return exit.value
  return Cause.hasInterruptsOnly(exit.cause) ? exitCodes.interrupted : exitCodes.failed
}

const written = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => stream.write(text, () => resolve()))

// Runs commands one after the other, each with the working directory and the whole environment it is given.
process.on("message", async ({ args, cwd, env, mark }: HostedCommand) => {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(cwd)
  const exit = await Effect.runPromiseExit(sluiceProcess(runCli, args).pipe(Effect.provide(NodeServices.layer)))
  // Its test removes the directory.
  process.chdir("/")
  await written(process.stdout, mark)
  await written(process.stderr, mark)
  const end: HostedEnd = { code: codeOf(exit), isLast: process.memoryUsage.rss() > mostResident }
  process.send!(end)
})
process.on("disconnect", () => process.exit())
