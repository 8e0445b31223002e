import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Layer, Path } from "effect"
import { runCli } from "../src/cli.ts"
import { Environment } from "../src/Environment.ts"
import { sluiceProcess } from "../src/sluiceProcess.ts"
import type { Finished } from "./Cli.ts"

/** No such directory: the working directory of the tests may hold the state of `pnpm start`, which is none of their business. */
const workingDirectory = join(tmpdir(), "sluice-no-working-directory")

const pathFromThere = Layer.effect(
  Path.Path,
  Effect.map(Path.Path, (path) => ({
    ...path,
    resolve: (...parts: ReadonlyArray<string>) => resolve(workingDirectory, ...parts)
  }))
)

const services = Layer.provideMerge(pathFromThere, NodeServices.layer)

/**
 * Runs the command line in this process, with no environment but the given one: for many cases where a process each would take
 * too long. Relative paths start from a directory that does not exist, so files are named by absolute paths.
 */
export const inProcess = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  variables: Readonly<Record<string, string>> = {}
) {
  const printed = { stdout: "", stderr: "" }
  const collect =
    (stream: "stdout" | "stderr") =>
    (...parts: ReadonlyArray<unknown>): void => {
      printed[stream] += `${parts.join(" ")}\n`
    }
  const code = yield* sluiceProcess(runCli, args).pipe(
    Effect.provideService(Console.Console, { ...console, log: collect("stdout"), error: collect("stderr") }),
    Effect.provideService(Environment, {
      variables,
      isTerminal: false,
      columns: () => 80,
      writeError: () => undefined,
      writeOutput: async (chunk) => {
        printed.stdout += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1")
      }
    }),
    Effect.provide(services)
  )
  const finished: Finished = { code, ...printed }
  return finished
})
