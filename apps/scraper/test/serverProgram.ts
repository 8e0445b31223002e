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

const listening = Effect.flatMap(serve({ ...config, apiKeys: keys.map((key) => Redacted.make(key)) }), ({ baseUrl }) =>
  Console.log(`Listening on ${baseUrl}`)
)
Effect.runFork(Layer.launch(Layer.effectDiscard(listening)))
