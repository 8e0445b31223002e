import { parseEnv } from "node:util"
import { Effect, FileSystem, Result } from "effect"
import { Flag, GlobalFlag } from "effect/cli"
import { invalid } from "./CliError.ts"
import { Environment } from "./Environment.ts"
import { readUtf8 } from "./readUtf8.ts"

/** Files of variables that one command reads at most. */
const mostFiles = 10

/** `--env-file`, of every command. */
export const EnvFile = GlobalFlag.Setting("env-file")({
  flag: Flag.String("env-file").pipe(
    Flag.withDescription(
      "Read variables from a file of NAME=value lines; those of the environment win. May be given again"
    ),
    Flag.withMetavar("FILE"),
    Flag.between(0, mostFiles)
  )
})

/** The environment with the variables of the `--env-file`s: of two files the later one wins, over both the environment itself. */
export const environmentWithFiles = Effect.gen(function* () {
  const environment = yield* Environment
  const files = yield* FileSystem.FileSystem
  const read: Record<string, string | undefined> = {}
  for (const file of yield* EnvFile) {
    const bytes = yield* files
      .readFile(file)
      .pipe(
        Effect.mapError(() =>
          invalid(`--env-file ${file} cannot be read: check that it is a file and that you may read it`)
        )
      )
    const text = readUtf8(bytes)
    if (Result.isFailure(text)) {
      const { column, line, message } = text.failure
      return yield* invalid(`${file}:${line}:${column}: ${message}`)
    }
    Object.assign(read, parseEnv(text.success))
  }
  return { ...environment, variables: { ...read, ...environment.variables } }
})
