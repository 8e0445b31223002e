import { Effect, Path } from "effect"
import { Environment } from "./Environment.ts"

/** Where the embedded database and the embedded scraper keep their state, below the home of a pipeline. */
export const stateDirectory = "./.sluice"

/** The directory that `SLUICE_HOME` names, absolute; undefined where it names none. */
export const namedHome = Effect.gen(function* () {
  const path = yield* Path.Path
  const { variables } = yield* Environment
  const named = variables.SLUICE_HOME ?? ""
  return named === "" ? undefined : path.resolve(named)
})

/**
 * What relative paths start from, absolute: `SLUICE_HOME`, or the directory of the pipeline file, or, without a file, the working
 * directory. So a run is found from wherever the command is started.
 */
export const homeOf = Effect.fnUntraced(function* (file: string | undefined) {
  const path = yield* Path.Path
  return (yield* namedHome) ?? (file === undefined ? path.resolve(".") : path.dirname(path.resolve(file)))
})

/** A path as it is from a home. Below the working directory it stays as it is written, which is how people know it. */
export const makeResolve = Effect.fnUntraced(function* (home: string) {
  const path = yield* Path.Path
  const isHere = home === path.resolve(".")
  return (written: string): string => (isHere || path.isAbsolute(written) ? written : path.join(home, written))
})
