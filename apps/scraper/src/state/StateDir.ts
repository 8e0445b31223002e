import { mkdtemp, open, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
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
        Effect.tryPromise({ try: () => lock(path), catch: unusable(`The state directory ${path} is in use`) }),
        () => Effect.promise(() => unlock(path))
      )
      return StateDir.of({ path })
    })
  )
}

const unusable = (message: string) => (cause: unknown) => new ScraperStartError({ message, cause })

/** Directories locked by this process: its own id in a lock file does not tell whether it is stale. */
const held = new Set<string>()

const lock = async (path: string): Promise<void> => {
  const file = join(path, "lock")
  const owner = Number(await readFile(file, "utf8").catch(() => ""))
  if (held.has(path) || (owner > 0 && owner !== process.pid && isAlive(owner))) {
    throw new Error(`held by process ${owner}`)
  }
  if (owner > 0) await rm(file, { force: true })
  const handle = await open(file, "wx").catch((cause: unknown) => {
    throw new Error("another server is starting on it", { cause })
  })
  await handle.writeFile(String(process.pid)).finally(() => handle.close())
  held.add(path)
}

const unlock = (path: string): Promise<void> => {
  held.delete(path)
  // Where the directory is gone, so is the lock.
  return rm(join(path, "lock"), { force: true }).catch(() => undefined)
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}
