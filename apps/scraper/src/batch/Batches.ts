import { Context, Effect, Layer } from "effect"
import type { Converter } from "../conversion/Converter.ts"
import type { Fetcher } from "../fetching/Fetcher.ts"
import type { Meter } from "../jobs/Meter.ts"
import { openPageJobs, type PageJobs } from "../pages/PageJobs.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import type { StateStore } from "../state/StateStore.ts"
import type { Announcements } from "../webhooks/Announcements.ts"
import { batchAnnouncement } from "./BatchDocuments.ts"
import { BatchSpec, batchRules } from "./BatchRules.ts"

/** The batches. Failed pages do not make a batch fail. */
export class Batches extends Context.Service<Batches, PageJobs<BatchSpec>>()("@sluice/scraper/Batches") {
  static readonly layer: Layer.Layer<
    Batches,
    StoreError,
    Announcements | Converter | Fetcher | Meter | ServerSettings | StateStore
  > = Layer.effect(
    this,
    Effect.gen(function* () {
      const { maxRunningBatches } = yield* ServerSettings
      return yield* openPageJobs({
        name: "batch",
        spec: BatchSpec,
        event: "batch_completed",
        announcement: batchAnnouncement,
        rules: batchRules,
        maxRunning: maxRunningBatches,
        mostPages: (_, { total }) => total,
        hasFailed: () => false
      })
    })
  )
}
