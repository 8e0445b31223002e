import { createServer } from "node:http"
import { NodeHttpServer } from "@effect/platform-node"
import { ScraperApi } from "@sluice/contract"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import { HttpRouter, HttpServer, type HttpServerError, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { ChargeLedger } from "./ChargeLedger.ts"
import { FaultMiddleware, ownPath } from "./FaultMiddleware.ts"
import { FaultPlan } from "./Faults.ts"
import { BatchHandlers } from "./handlers/Batch.ts"
import { CrawlHandlers } from "./handlers/Crawl.ts"
import { ExtractHandlers } from "./handlers/Extract.ts"
import { MapHandlers } from "./handlers/Map.ts"
import { RestHandlers } from "./handlers/Rest.ts"
import { JobStore } from "./JobStore.ts"
import { FieldCheck, KeyCheck } from "./SecurityLayers.ts"
import { SimulatedApi, type SimulatorOptions } from "./SimulatedApi.ts"
import { makeSite } from "./SiteModel.ts"

/** A running simulator. */
export interface Simulator {
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted
  /** What was asked, made and charged so far. */
  readonly charges: ChargeLedger
  /** The faults still to come; add to them at any time. */
  readonly faults: FaultPlan
}

const Routes = HttpApiBuilder.layer(ScraperApi).pipe(
  Layer.provide([CrawlHandlers, BatchHandlers, ExtractHandlers, MapHandlers, RestHandlers]),
  Layer.provide([KeyCheck, FieldCheck])
)

/** Where the books are read while the simulator runs; it takes no key, and such a read is in no books. */
const ChargeRoutes = HttpRouter.use((router) =>
  Effect.flatMap(SimulatedApi, ({ charges }) =>
    router.add(
      "GET",
      `${ownPath}charges`,
      Effect.sync(() => HttpServerResponse.jsonUnsafe(charges))
    )
  )
)

/**
 * Starts a fake of the Scraper API, on loopback unless told otherwise, for as long as the scope lasts. It is deterministic: what it answers
 * depends on its options and on the requests before, never on time. Jobs move on by being polled.
 */
const make = Effect.fn("Simulator.make")(function* (
  options: SimulatorOptions = {}
): Effect.fn.Return<Simulator, HttpServerError.ServeError, Scope.Scope> {
  const seed = options.seed ?? 1
  const apiKey = options.apiKey ?? "simulator-key"
  const charges = new ChargeLedger()
  const faults = new FaultPlan(seed, options.faults)
  const Api = Layer.succeed(SimulatedApi, {
    options: { ...options, seed, apiKey, site: options.site ?? makeSite({ seed }) },
    charges,
    faults,
    jobs: new JobStore(seed, charges)
  })
  const Listening = NodeHttpServer.layerServer(() => createServer(), {
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    gracefulShutdownTimeout: "10 millis"
  }).pipe(Layer.merge(HttpServer.layerServices))
  const App = HttpRouter.serve(Layer.mergeAll(Routes, ChargeRoutes, FaultMiddleware), {
    disableLogger: true,
    disableListenLog: true
  }).pipe(Layer.provideMerge(Listening), Layer.provide(Api))
  const context = yield* Layer.build(App)
  const baseUrl = HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address)
  return { baseUrl, apiKey: Redacted.make(apiKey), charges, faults }
})

/**
 * A fake of the Scraper API with a charge ledger of its own: `Simulator.make` starts one for the scope, on loopback and a free port
 * unless the options say otherwise.
 *
 * It is deterministic: what it answers depends on its options and on the requests before, never on time. Jobs progress by being
 * polled. Fails with a `ServeError` where the port is taken. `charges.tokens` are tokens.
 *
 * @example
 * ```ts
 * import { NodeHttpClient } from "@effect/platform-node"
 * import { Crawl, Scraper } from "@sluice/core"
 * import { makeSite, Simulator } from "@sluice/testkit"
 * import { Effect, Layer, Stream } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const simulator = yield* Simulator.make({ site: makeSite({ pages: 60 }) })
 *   const client = Layer.provide(Scraper.layer(simulator), NodeHttpClient.layerUndici)
 *   const pages = yield* Stream.runCount(Crawl.records({ url: "https://site.test/" })).pipe(Effect.provide(client))
 *   return [pages, simulator.charges.tokens]
 * }).pipe(Effect.scoped)
 * ```
 */
export const Simulator = { make }
