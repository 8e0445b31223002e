import { spawn } from "node:child_process"
import { Effect, type Scope } from "effect"
import workspace from "../../package.json" with { type: "json" }
import { type Bundle, bundle, compileCache, writeAll } from "../setup/bundles.ts"
import type { LoaderReport } from "./loader.ts"
import type { Work } from "./pages.ts"

/** As `sluice` has them: the young generation grows to three times 32 MB by itself, the old one by the size of the machine. */
const flags = workspace.scripts.sluice.split(" ").filter((word) => word.startsWith("--max-"))

/** Loading processes run as JavaScript, as users run them: to read TypeScript alone costs 50 MB. */
const loaders = { sluice: bundle("loader", "test/bench/loader.ts"), byHand: bundle("by-hand", "test/bench/byHand.ts") }

/** What every loading process says of itself when it ends; size in MB, times in seconds. */
export interface Load {
  readonly seconds: number
  readonly peakRss: number
  readonly cpu: number
}

/** One crawl loaded by a process of its own; its environment says from where and into what. */
export const load = (environment: Readonly<Record<string, string>>): Effect.Effect<LoaderReport> =>
  report(loaders.sluice, environment)

/** The same crawl, as somebody would load it by hand. */
export const loadByHand = (
  environment: Readonly<Record<string, string>>
): Effect.Effect<Load & { readonly pages: number }> => report(loaders.byHand, environment)

/** Writes the loading processes, which has to be done before the first is started: none starts on a machine that is busy with it. */
export const writeLoaders = Effect.promise(() => writeAll(loaders))

const report = <A extends Load>({ file }: Bundle, environment: Readonly<Record<string, string>>): Effect.Effect<A> =>
  Effect.callback<A>((resume) => {
    const loader = spawn(process.execPath, [...flags, file], {
      // What V8 has compiled is kept, as `sluice` keeps it, and for a script by hand no less.
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, ...environment },
      stdio: ["ignore", "pipe", "inherit"]
    })
    let output = ""
    loader.stdout.on("data", (chunk: Buffer) => {
      output += `${chunk}`
    })
    loader.on("close", () => resume(Effect.sync(() => JSON.parse(output.trim().split("\n").at(-1) ?? ""))))
    return Effect.sync(() => void loader.kill("SIGKILL"))
  })

/** Serves a crawl that has ended for as long as the scope lasts. Answers its address. */
export const serveCrawl = (work: Work, latency: number): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(
        process.execPath,
        [
          new URL("finishedCrawl.ts", import.meta.url).pathname,
          ...[work.pages, work.links, work.size, latency].map(String)
        ],
        { stdio: ["ignore", "pipe", "inherit"] }
      )
    ),
    (server) => Effect.sync(() => void server.kill("SIGKILL"))
  ).pipe(
    Effect.flatMap((server) =>
      Effect.callback<string>((resume) => {
        server.stdout.once("data", (chunk: Buffer) => resume(Effect.succeed(`${chunk}`.trim())))
      })
    )
  )
