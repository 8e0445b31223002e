import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { DirectoryInUse, holdDirectory } from "@sluice/directory-lock"
import { Context, Effect, Layer } from "effect"
import { ScraperStartError, ServerSettings } from "../ScraperConfig.ts"
import { makeDirectory, removePath } from "./Files.ts"

/** The directory of the jobs, held by this server alone while it runs. */
export class StateDir extends Context.Service<StateDir, { readonly path: string }>()("@sluice/scraper/StateDir") {
  static readonly layer: Layer.Layer<StateDir, ScraperStartError, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const { stateDir } = yield* ServerSettings
      if (stateDir === undefined) {
        const path = yield* Effect.acquireRelease(
          Effect.tryPromise({
            try: () => mkdtemp(join(tmpdir(), "sluice-scraper-")),
            catch: unusable("A temporary state directory cannot be made")
          }),
          (path) => Effect.ignore(removePath(path))
        )
        return StateDir.of({ path })
      }
      const path = resolve(stateDir)
      yield* Effect.mapError(makeDirectory(path), unusable(`The state directory ${path} cannot be made`))
      yield* Effect.acquireRelease(
        Effect.tryPromise({
          try: () => holdDirectory(path, { former: { path: join(path, "lock"), format: "pid" } }),
          catch: inUse(path)
        }),
        (release) => Effect.promise(release)
      )
      return StateDir.of({ path })
    })
  )
}

const unusable = (message: string) => (cause: unknown) => new ScraperStartError({ message, cause })

const inUse = (path: string) => (cause: unknown) =>
  cause instanceof DirectoryInUse
    ? unusable(
        `The state directory ${path} is in use by ${cause.by}; stop that process, or give this server another directory`
      )(cause)
    : unusable(`The state directory ${path} cannot be locked`)(cause)
