import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import type { ChargeLedger } from "@sluice/testkit"
import { Effect } from "effect"
import { bundles } from "../setup/bundles.ts"

/** The entry of the command. */
export const simulatorEntry: string = bundles.simulator.file

/** The books as another process reads them. */
export type Books = ReturnType<ChargeLedger["toJSON"]>

/** A simulator in a process of its own, which ends with the scope at the latest. */
export const startSimulator = (args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [simulatorEntry, ...args], { stdio: ["ignore", "pipe", "inherit"] })),
    (child) =>
      Effect.promise(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        child.kill("SIGKILL")
        await once(child, "exit")
      })
  ).pipe(
    Effect.flatMap((child) =>
      Effect.promise(async () => {
        const ended = once(child, "exit")
        const [line] = await once(createInterface(child.stdout), "line")
        const { api_key, base_url, site }: { readonly [K in "api_key" | "base_url" | "site"]: string } =
          JSON.parse(line)
        return {
          apiKey: api_key,
          baseUrl: base_url,
          site,
          books: Effect.promise(
            async (): Promise<Books> => (await fetch(`${base_url}/simulator/charges`)).json() as Promise<Books>
          ),
          /** Tells it to end, and answers its exit code. */
          stop: (signal: "SIGTERM" | "SIGINT") =>
            Effect.promise(async (): Promise<number | null> => {
              child.kill(signal)
              const [code] = await ended
              return code
            })
        }
      })
    )
  )
