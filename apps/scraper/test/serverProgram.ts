import { Console, Effect, Layer, Redacted } from "effect"
import { serve } from "../src/index.ts"
import type { ProgramConfig } from "./ServerProcess.ts"
import { keys } from "./TestScraper.ts"

const config: ProgramConfig = JSON.parse(process.argv[2] ?? "{}")

process.on("message", () => {
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  process.send?.({ heap: heapUsed, rss })
})

const url = process.env.SCRAPER_STATE_URL
const apiKeys = keys.map((key) => Redacted.make(key))
const listening = Effect.flatMap(
  serve({ ...config, apiKeys, stateUrl: url === undefined ? undefined : Redacted.make(url) }),
  ({ baseUrl }) => Console.log(`Listening on ${baseUrl}`)
)
Effect.runFork(Layer.launch(Layer.effectDiscard(listening)))
