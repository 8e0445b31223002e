import { execFileSync } from "node:child_process"
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"

/** A disk of its own, small enough to be filled. */
export interface SmallDisk {
  readonly directory: string
  /** Takes all the room that is left. */
  readonly fill: Effect.Effect<void>
  /** Gives it back. */
  readonly free: Effect.Effect<void>
}

const mount = (megabytes: number): string => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-disk-"))
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory], { stdio: "pipe" })
  } catch (error) {
    rmSync(directory, { recursive: true })
    throw error
  }
  return directory
}

const unmount = (directory: string): void => {
  execFileSync("umount", [directory], { stdio: "pipe" })
  rmSync(directory, { recursive: true })
}

/** Why no disk can be mounted here, if none can: it takes root, and a container may refuse even that. */
export const mountRefusal = (): string | undefined => {
  try {
    unmount(mount(1))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.trim().replaceAll("\n", " ") : "mount failed"
  }
}

/** Mounts a disk for the scope. Anyone may write to it, a server's own user too. */
export const smallDisk = (megabytes: number): Effect.Effect<SmallDisk, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => mount(megabytes)),
    (directory) => Effect.sync(() => unmount(directory))
  ).pipe(
    Effect.map((directory) => {
      chmodSync(directory, 0o1777)
      const filler = join(directory, "filler")
      return {
        directory,
        fill: Effect.sync(() => fill(filler)),
        free: Effect.sync(() => rmSync(filler, { force: true }))
      }
    })
  )

/** By pages of memory, so that not even one is left. */
const fill = (file: string): void => {
  const page = Buffer.alloc(4096)
  const descriptor = openSync(file, "w")
  try {
    for (;;) writeSync(descriptor, page)
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error
  } finally {
    closeSync(descriptor)
  }
}
