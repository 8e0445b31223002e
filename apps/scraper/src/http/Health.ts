import type { HealthStatus } from "@sluice/contract"
import { Context, Effect, Layer } from "effect"
import { Renderer } from "../rendering/Renderer.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import { StateStore } from "../state/StateStore.ts"
import { JobGauges } from "./JobGauges.ts"
import { Lifecycle } from "./Lifecycle.ts"

/**
 * How the server is. `unavailable`: the state cannot be written, so that no job can be taken, or the server is on its way out.
 * `degraded`: it works, but what is asked of it waits long: too many jobs are queued, or pages for the browser.
 */
export class Health extends Context.Service<Health, { readonly status: Effect.Effect<typeof HealthStatus.Type> }>()(
  "@sluice/scraper/http/Health"
) {
  static readonly layer: Layer.Layer<Health, never, JobGauges | Lifecycle | Renderer | ServerSettings | StateStore> =
    Layer.effect(
      this,
      Effect.gen(function* () {
        const { degradedAtQueuedJobs, healthProbeEveryMs, healthProbeTimeoutMs, maxWaitingRenders } =
          yield* ServerSettings
        const lifecycle = yield* Lifecycle
        const renderer = yield* Renderer
        const jobs = yield* JobGauges
        const state = yield* StateStore
        // Asked as often as you like, it writes as seldom as it may.
        const isWritable = yield* state.probe.pipe(
          Effect.timeout(healthProbeTimeoutMs),
          Effect.as(true),
          Effect.catchCause((cause) => Effect.as(Effect.logWarning("The state cannot be written", cause), false)),
          Effect.cachedWithTTL(healthProbeEveryMs)
        )
        return Health.of({
          status: Effect.map(isWritable, (writable) => {
            if (!writable || lifecycle.isDraining()) return "unavailable"
            const queued = jobs.all().reduce((sum, [, load]) => sum + load.queued, 0)
            const isSaturated = queued >= degradedAtQueuedJobs || renderer.waiting() >= Math.max(1, maxWaitingRenders)
            return isSaturated ? "degraded" : "ok"
          })
        })
      })
    )
}
