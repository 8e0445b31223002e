import { Context, Effect, Layer } from "effect"
import type { Converter } from "../conversion/Converter.ts"
import { openPageJobs, type PageJobs } from "../crawler/PageJobs.ts"
import type { Fetcher } from "../fetching/Fetcher.ts"
import type { UsageRecorder } from "../jobs/UsageRecorder.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import type { StateStore } from "../state/StateStore.ts"
import type { WebhookEvents } from "../webhooks/WebhookEvents.ts"
import { BatchSpec, batchStrategy } from "./BatchStrategy.ts"
import { batchEventData } from "./batchDocuments.ts"

/** The batches. Failed pages do not make a batch fail. */
export class Batches extends Context.Service<Batches, PageJobs<BatchSpec>>()("@sluice/scraper/batch/Batches") {
  static readonly layer: Layer.Layer<
    Batches,
    StoreError,
    WebhookEvents | Converter | Fetcher | UsageRecorder | ServerSettings | StateStore
  > = Layer.effect(
    this,
    Effect.gen(function* () {
      const { maxRunningBatches } = yield* ServerSettings
      return yield* openPageJobs({
        name: "batch",
        spec: BatchSpec,
        event: "batch_completed",
        eventData: batchEventData,
        strategy: batchStrategy,
        maxRunning: maxRunningBatches,
        mostPages: (_, { total }) => total,
        hasFailed: () => false
      })
    })
  )
}
