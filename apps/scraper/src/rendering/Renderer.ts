import { Context, Effect, Layer, Option, Semaphore } from "effect"
import { guardedConnector } from "../net/AddressGuard.ts"
import { type PageFailure, transientFailure } from "../net/PageFailure.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import { BrowserProcess } from "./BrowserProcess.ts"
import { openEgressProxy } from "./EgressProxy.ts"
import { renderPage } from "./RenderedPage.ts"
import type { RenderEnd, RenderRequest } from "./RenderRequest.ts"

/** How long a connection of a page may take to come about. */
const connectTimeoutMs = 10_000

/** Renders pages in the browser, so many at once and no more; the others wait, and not too many of them. */
export class Renderer extends Context.Service<
  Renderer,
  {
    /** Whether there is a browser to render with. */
    readonly isAvailable: boolean
    /** How many pages are in the browser, and how many wait for it. */
    readonly rendering: () => number
    readonly waiting: () => number
    readonly render: (request: RenderRequest) => Effect.Effect<RenderEnd, PageFailure>
  }
>()("@sluice/scraper/rendering/Renderer") {
  static readonly layer: Layer.Layer<Renderer, never, BrowserProcess | ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const { executable, lease } = yield* BrowserProcess
      const slots = yield* Semaphore.make(settings.browserPages)
      const connect = guardedConnector({ allowPrivateTargets: settings.allowPrivateTargets, connectTimeoutMs })
      let inside = 0

      const renderOne = Effect.fnUntraced(function* (request: RenderRequest) {
        const proxy = yield* openEgressProxy({ connect, maxBytes: settings.maxRenderTrafficBytes })
        const rendering = renderPage(yield* lease, request, {
          proxyUrl: proxy.url,
          timeoutMs: Math.min(request.wait.timeoutMs ?? settings.renderTimeoutMs, settings.renderTimeoutMs),
          maxBytes: settings.maxPageBytes
        })
        return yield* Effect.raceFirst(rendering, proxy.overdrawn)
      }, Effect.scoped)

      return Renderer.of({
        isAvailable: Option.isSome(executable),
        rendering: () => Math.min(inside, settings.browserPages),
        waiting: () => Math.max(0, inside - settings.browserPages),
        render: Effect.fn("Renderer.render")(function* (request) {
          if (inside >= settings.browserPages + settings.maxWaitingRenders) {
            return yield* transientFailure("BROWSER_BUSY", "Too many pages wait for the browser")
          }
          inside++
          return yield* slots
            .withPermits(1)(renderOne(request))
            .pipe(Effect.ensuring(Effect.sync(() => void inside--)))
        })
      })
    })
  )
}
