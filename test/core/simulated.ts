import { type PageRecord, Scraper } from "@sluice/core"
import type { SimulatorOptions } from "@sluice/testkit"
import { Simulator } from "@sluice/testkit"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import type { ScraperOptions } from "../../packages/core/src/api/Scraper.ts"
import type { ReaderOptions } from "../../packages/core/src/source/JobReader.ts"

/** Polls in no time: tests wait for nothing. */
export const atOnce: Partial<ReaderOptions> = { pollMin: "1 millis", pollMax: "2 millis", settleTime: "2 seconds" }

/** A simulator and the layer of a client of it, which is in no hurry to give up and in none to wait. */
export const simulated = Effect.fnUntraced(function* (
  options: SimulatorOptions = {},
  client: Partial<ScraperOptions> = {}
) {
  const simulator = yield* Simulator.make(options)
  const { apiKey, baseUrl } = simulator
  const quick = { retryBase: "1 millis", retries: 5, giveUpAfter: "5 minutes", requestsPerSecond: 100_000 } as const
  const layer = Scraper.layer({ baseUrl, apiKey, ...quick, ...client }).pipe(Layer.provide(FetchHttpClient.layer))
  return { simulator, layer }
})

/** The URLs of records, sorted. */
export const urlsOf = (records: Iterable<PageRecord>): ReadonlyArray<string> =>
  Array.from(records, ({ url }) => url).sort()
