import { access, constants } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import type { StoreCheck } from "@sluice/core/sink"

/** Whether a directory, or the nearest one above it that exists, may be written to. */
export const checkDirectory = async (path: string): Promise<StoreCheck> => {
  let at = resolve(path)
  while (true) {
    try {
      await access(at, constants.F_OK)
      break
    } catch {
      if (dirname(at) === at) return { what: `write to ${path}`, result: "missing" }
      at = dirname(at)
    }
  }
  try {
    await access(at, constants.W_OK | constants.X_OK)
    return { what: `write to ${at}`, result: "ok" }
  } catch {
    return { what: `write to ${at}`, result: "missing" }
  }
}
