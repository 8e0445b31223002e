import { createServer } from "node:http"
import { NodeHttpServer } from "@effect/platform-node"
import { ScraperApi } from "@sluice/contract"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import {
  HttpClient,
  HttpClientResponse,
  HttpRouter,
  HttpServer,
  type HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
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

/** A fresh API, and the layer of its routes. */
const freshApi = (options: SimulatorOptions) => {
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
  const App = Layer.mergeAll(Routes, ChargeRoutes, FaultMiddleware)
  return { Api, App, state: { apiKey: Redacted.make(apiKey), charges, faults } }
}

/**
 * Starts a fake of the Scraper API, on loopback unless told otherwise, for as long as the scope lasts. It is deterministic: what it answers
 * depends on its options and on the requests before, never on time. Jobs move on by being polled.
 */
const make = Effect.fn("Simulator.make")(function* (
  options: SimulatorOptions = {}
): Effect.fn.Return<Simulator, HttpServerError.ServeError, Scope.Scope> {
  const { Api, App, state } = freshApi(options)
  const Listening = NodeHttpServer.layerServer(() => createServer(), {
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    gracefulShutdownTimeout: "10 millis"
  }).pipe(Layer.merge(HttpServer.layerServices))
  const Served = HttpRouter.serve(App, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(Listening),
    Layer.provide(Api)
  )
  const context = yield* Layer.build(Served)
  const baseUrl = HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address)
  return { baseUrl, ...state }
})

/** A simulator without a port, and the HTTP client that reaches it. */
export interface SimulatorInProcess extends Simulator {
  readonly client: HttpClient.HttpClient
}

/** The same API without a network: its client answers in the fiber that asks, so in the test's virtual time. Plays no fault that breaks a connection. */
const inProcess = Effect.fn("Simulator.inProcess")(function* (
  options: SimulatorOptions = {}
): Effect.fn.Return<SimulatorInProcess, never, Scope.Scope> {
  const { Api, App, state } = freshApi(options)
  const handle = yield* HttpRouter.toHttpEffect(App.pipe(Layer.provide(Api), Layer.provide(HttpServer.layerServices)))
  const client = HttpClient.make((request, url) => {
    const { body, headers, method } = request
    const asked = new Request(url, { method, headers, ...(body._tag === "Uint8Array" ? { body: body.body } : {}) })
    return handle.pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(asked)),
      Effect.scoped,
      Effect.orDie,
      Effect.map((answer) => HttpClientResponse.fromWeb(request, HttpServerResponse.toWeb(answer)))
    )
  })
  return { baseUrl: "http://simulator.test", ...state, client }
})

/**
 * A fake of the Scraper API with a charge ledger of its own: `Simulator.make` starts one for the scope, on loopback and a free port
 * unless the options say otherwise; `Simulator.inProcess` makes one with an HTTP client in place of a port, for virtual time.
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
export const Simulator = { make, inProcess }
