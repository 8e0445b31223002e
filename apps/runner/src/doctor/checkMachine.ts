import { statfs } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { Effect, Option } from "effect"
import { given } from "../apiAccess.ts"
import { Environment } from "../Environment.ts"
import { check, type HealthCheck } from "./HealthCheck.ts"

/** The oldest Node that Sluice runs on. */
const oldestNode = [22, 19] as const

/** Free bytes below which a run is at risk, and below which it will hardly end. */
const scarce = 1024 ** 3
const tooFew = 100 * 1024 ** 2

/** Whether the Node of this process is new enough. */
export const checkNode = (version: string = process.versions.node): HealthCheck => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  const isEnough = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
  return isEnough
    ? check("ok", "node", `Node ${version}`)
    : check("failed", "node", `Node ${version} is too old: install Node ${oldestNode.join(".")} or newer`)
}

/** How much room there is where Sluice keeps its state. */
export const checkDisk = (directory: string): Effect.Effect<HealthCheck> =>
  Effect.promise(() => freeBytes(resolve(directory))).pipe(
    Effect.map((free) => {
      const detail = `${Math.floor(free / 1024 ** 2).toLocaleString("en-US")} MiB free for ${directory}`
      if (free >= scarce) return check("ok", "disk", detail)
      return check(free < tooFew ? "failed" : "warn", "disk", `${detail}: make room`)
    })
  )

/** Free bytes of the disk of a directory, or of the nearest one above it that exists. */
const freeBytes = async (path: string): Promise<number> => {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    return dirname(path) === path ? 0 : freeBytes(dirname(path))
  }
}

/** Whether there is a Chromium, which only pages that are rendered by the embedded scraper need. */
export const checkChromium = Effect.fnUntraced(function* ({ isNeeded }: { readonly isNeeded: boolean }) {
  const { variables } = yield* Environment
  const named = given(variables.SCRAPER_CHROMIUM)
  const missing = (why: string) =>
    isNeeded
      ? check(
          "failed",
          "chromium",
          `${why}, and the pipeline renders pages: install one, or name it in SCRAPER_CHROMIUM`
        )
      : check("ok", "chromium", `${why}; only render_js with the embedded scraper needs one`)
  if (named === "none") return missing("SCRAPER_CHROMIUM is none")
  const { findChromium, isExecutable } = yield* Effect.promise(() => import("@sluice/scraper"))
  if (named !== undefined && named !== "auto") {
    return isExecutable(named) ? check("ok", "chromium", named) : missing(`there is no Chromium at ${named}`)
  }
  return Option.match(findChromium(variables.PATH ?? ""), {
    onNone: () => missing("no Chromium was found"),
    onSome: (path) => check("ok", "chromium", path)
  })
})
