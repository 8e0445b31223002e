import { Context, Effect, Layer } from "effect"
import { Agent, type buildConnector, type Dispatcher } from "undici"
import { ServerSettings } from "../ScraperConfig.ts"
import { guardedConnector } from "./AddressGuard.ts"
import type { PageFailure } from "./PageFailure.ts"
import { Proxies } from "./Proxies.ts"

/**
 * The connections to everything that callers name: targets and receivers of webhooks. Whatever is fetched from or sent to
 * such a place goes through it, so that every address is judged where it is connected to.
 */
export class TargetAgent extends Context.Service<
  TargetAgent,
  {
    readonly dispatcher: Agent
    /** Opens a single connection, by the same rules. */
    readonly connect: buildConnector.connector
    /** Through what a URL is to be asked for: this, or the proxy that the request named. */
    readonly dispatcherFor: (url: string) => Effect.Effect<Dispatcher, PageFailure>
  }
>()("@sluice/scraper/net/TargetAgent") {
  static readonly layer: Layer.Layer<TargetAgent, never, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const connect = guardedConnector({
        allowPrivateTargets: settings.allowPrivateTargets,
        connectTimeoutMs: Math.min(settings.pageTimeoutMs, 10_000)
      })
      const dispatcher = yield* Effect.acquireRelease(
        Effect.sync(
          () =>
            new Agent({
              allowH2: false,
              connections: settings.hostConcurrency,
              maxHeaderSize: settings.maxTargetHeaderBytes,
              headersTimeout: settings.pageTimeoutMs,
              bodyTimeout: settings.pageTimeoutMs,
              connect
            })
        ),
        (agent) => Effect.promise(() => agent.destroy())
      )
      const { route } = yield* Proxies
      return TargetAgent.of({
        dispatcher,
        connect,
        dispatcherFor: (url) => Effect.map(route(url), (proxy) => proxy ?? dispatcher)
      })
    })
  ).pipe(Layer.provide(Proxies.layer))
}
