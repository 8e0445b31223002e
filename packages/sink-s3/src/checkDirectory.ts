import { randomUUID } from "node:crypto"
import { access, constants, rm, writeFile } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import type { StoreCheck } from "@sluice/core/sink"
import { Effect } from "effect"
import { StoreDenied, StoreError } from "./StoreError.ts"

/** The directory, or the nearest one above it that exists. */
const nearestOf = async (path: string): Promise<string> => {
  const at = resolve(path)
  return (await isThere(at, constants.F_OK)) || dirname(at) === at ? at : nearestOf(dirname(at))
}

const isThere = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false
  )

/** Whether a directory, or the nearest one above it that exists, may be written to. */
export const checkDirectory = async (path: string): Promise<StoreCheck> => {
  const at = await nearestOf(path)
  const isWritable = await isThere(at, constants.W_OK | constants.X_OK)
  return { what: `write to ${at}`, result: isWritable ? "ok" : "missing" }
}

/** Writes a file into a directory, or into the nearest one above it that exists, and removes it. */
export const tryDirectory = (path: string): Effect.Effect<string, StoreError> =>
  Effect.tryPromise({
    try: async () => {
      const at = await nearestOf(path)
      const file = join(at, `.sluice-${randomUUID()}`)
      await writeFile(file, "1", { flag: "wx" })
      await rm(file)
      return `wrote and removed a file in ${at}`
    },
    catch: (cause) =>
      new StoreError({
        operation: "write",
        key: path,
        reason: new StoreDenied({ detail: `${path} cannot be written to: check its permissions`, cause }),
        isRetryable: false
      })
  })
