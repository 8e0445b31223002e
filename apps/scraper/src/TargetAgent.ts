import { Context, Effect, Layer } from "effect"
import { Agent } from "undici"
import { guardedConnector } from "./AddressGuard.ts"
import { ServerSettings } from "./ScraperConfig.ts"

/**
 * The connections to everything that callers name: targets and receivers of webhooks. Whatever is fetched from or sent to
 * such a place goes through it, so that every address is judged where it is connected to.
 */
export class TargetAgent extends Context.Service<TargetAgent, { readonly dispatcher: Agent }>()(
  "@sluice/scraper/TargetAgent"
) {
  static readonly layer: Layer.Layer<TargetAgent, never, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const dispatcher = yield* Effect.acquireRelease(
        Effect.sync(
          () =>
            new Agent({
              allowH2: false,
              connections: settings.hostConcurrency,
              maxHeaderSize: settings.maxHeaderBytes,
              headersTimeout: settings.pageTimeoutMs,
              bodyTimeout: settings.pageTimeoutMs,
              connect: guardedConnector({
                allowPrivateTargets: settings.allowPrivateTargets,
                connectTimeoutMs: Math.min(settings.pageTimeoutMs, 10_000)
              })
            })
        ),
        (agent) => Effect.promise(() => agent.destroy())
      )
      return TargetAgent.of({ dispatcher })
    })
  )
}
