import { spawn } from "node:child_process"
import { Effect, type Scope } from "effect"
import type { LoaderReport } from "./loader.ts"
import type { Work } from "./pages.ts"

/** V8's young generation grows to three times 32 MB by itself, which makes nothing faster here; `sluice` has this flag too. */
const flag = "--max-semi-space-size=16"

/** What every loading process says of itself when it ends; size in MB, times in seconds. */
export interface Load {
  readonly seconds: number
  readonly peakRss: number
  readonly cpu: number
}

/** One crawl loaded by a process of its own; its environment says from where and into what. */
export const load = (environment: Readonly<Record<string, string>>): Effect.Effect<LoaderReport> =>
  report(new URL("loader.ts", import.meta.url), environment)

/** The same crawl, as somebody would load it by hand. */
export const loadByHand = (
  environment: Readonly<Record<string, string>>
): Effect.Effect<Load & { readonly pages: number }> => report(new URL("byHand.ts", import.meta.url), environment)

const report = <A extends Load>(program: URL, environment: Readonly<Record<string, string>>): Effect.Effect<A> =>
  Effect.callback<A>((resume) => {
    const loader = spawn(process.execPath, [flag, program.pathname], {
      env: { PATH: process.env.PATH, ...environment },
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
