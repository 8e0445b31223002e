import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { ScraperApi } from "@sluice/contract"
import { ByteSize, Context, Effect, Layer, Option, Redacted, type Scope } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServer } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Batches } from "./batch/Batches.ts"
import { Converter } from "./conversion/Converter.ts"
import { Crawls } from "./crawl/Crawls.ts"
import { Maps } from "./crawl/Maps.ts"
import { SiteDiscovery } from "./crawl/SiteDiscovery.ts"
import { ExtractJobs } from "./extract/ExtractJobs.ts"
import { Extractor } from "./extract/Extractor.ts"
import { Fetcher } from "./fetching/Fetcher.ts"
import { HostQueue } from "./fetching/HostQueue.ts"
import { Robots } from "./fetching/Robots.ts"
import { ApiKeys } from "./http/ApiKeys.ts"
import { AuthorizationLayer } from "./http/Auth.ts"
import { Health } from "./http/Health.ts"
import { BatchHandlers } from "./http/handlers/Batch.ts"
import { CrawlHandlers } from "./http/handlers/Crawl.ts"
import { ExtractHandlers } from "./http/handlers/Extract.ts"
import { HealthHandlers } from "./http/handlers/Health.ts"
import { MapHandlers } from "./http/handlers/Map.ts"
import { NotOfferedHandlers } from "./http/handlers/NotOffered.ts"
import { StatisticsHandlers } from "./http/handlers/Statistics.ts"
import { WebhookHandlers } from "./http/handlers/Webhooks.ts"
import { JobGauges } from "./http/JobGauges.ts"
import { Draining, Lifecycle } from "./http/Lifecycle.ts"
import { listener } from "./http/listener.ts"
import { MetricsServer } from "./http/MetricsServer.ts"
import { Quota } from "./http/Quota.ts"
import { Reference } from "./http/Reference.ts"
import { RequestMetrics } from "./http/RequestMetrics.ts"
import { RequestRate } from "./http/RequestRate.ts"
import { FaultResponses, UnknownRoute } from "./http/responses.ts"
import { ValidationLayer } from "./http/Validation.ts"
import { UsageRecorder } from "./jobs/UsageRecorder.ts"
import { MetricRegistry } from "./metrics/Metrics.ts"
import { HttpGet } from "./net/HttpGet.ts"
import { Proxies } from "./net/Proxies.ts"
import { TargetAgent } from "./net/TargetAgent.ts"
import { BrowserProcess } from "./rendering/BrowserProcess.ts"
import { Renderer } from "./rendering/Renderer.ts"
import { type ScraperConfig, ScraperStartError, ServerSettings, withDefaults } from "./ScraperConfig.ts"
import { StateStore } from "./state/StateStore.ts"
import { WebhookDeliveries } from "./webhooks/WebhookDeliveries.ts"
import { WebhookEvents } from "./webhooks/WebhookEvents.ts"
import { WebhookPost } from "./webhooks/WebhookPost.ts"
import { WebhookStore } from "./webhooks/WebhookStore.ts"
import { Webhooks } from "./webhooks/Webhooks.ts"

const Rendering = Renderer.layer.pipe(Layer.provide(BrowserProcess.layer))

const Fetching = Fetcher.layer.pipe(
  Layer.provideMerge(Robots.layer),
  Layer.provideMerge(Rendering),
  Layer.provide(HostQueue.layer),
  Layer.provide(HttpGet.layer)
)

const Telling = WebhookEvents.layer.pipe(
  Layer.provideMerge(Webhooks.layer),
  Layer.provide(WebhookDeliveries.layer),
  Layer.provide([WebhookPost.layer, WebhookStore.layer])
)

const Jobs = Layer.mergeAll(Quota.layer, Health.layer).pipe(
  Layer.provideMerge(JobGauges.layer),
  Layer.provideMerge(Layer.mergeAll(Batches.layer, Crawls.layer, ExtractJobs.layer)),
  Layer.provideMerge(Layer.mergeAll(Extractor.layer, Maps.layer, UsageRecorder.layer, Telling)),
  Layer.provide(SiteDiscovery.layer),
  Layer.provideMerge(Fetching),
  Layer.provide(Converter.layer),
  Layer.provide([StateStore.layer, TargetAgent.layer]),
  Layer.provideMerge(Proxies.layer),
  Layer.provideMerge(Layer.mergeAll(ApiKeys.layer, Lifecycle.layer))
)

const Routes = HttpApiBuilder.layer(ScraperApi).pipe(
  Layer.provide([
    BatchHandlers,
    CrawlHandlers,
    ExtractHandlers,
    HealthHandlers,
    MapHandlers,
    NotOfferedHandlers,
    StatisticsHandlers,
    WebhookHandlers
  ]),
  Layer.provide([AuthorizationLayer.pipe(Layer.provide(RequestRate.layer)), ValidationLayer])
)

/** A server that runs. `metricsUrl` is there if its metrics are served. */
export interface RunningServer {
  readonly baseUrl: string
  readonly metricsUrl: string | undefined
}

/**
 * Starts the server in the given scope. Closing the scope closes the listener, has what is being answered end, up to
 * `drainTimeoutMs`, and leaves open jobs to be resumed.
 */
export const serve = Effect.fn("Server.serve")(function* (
  config: ScraperConfig
): Effect.fn.Return<RunningServer, ScraperStartError, Scope.Scope> {
  if (config.apiKeys.some((key) => Redacted.value(key) === "")) {
    return yield* new ScraperStartError({ message: "An API key may not be empty", cause: null })
  }
  const settings = withDefaults(config)
  const server = listener(settings)
  const Listening = NodeHttpServer.layer(() => server, {
    host: settings.host,
    port: settings.port,
    gracefulShutdownTimeout: settings.drainTimeoutMs + flushMs
  })
  const App = HttpRouter.serve(
    Layer.mergeAll(Routes, UnknownRoute, FaultResponses, Draining, Reference, RequestMetrics),
    {
      disableLogger: true,
      disableListenLog: true
    }
  ).pipe(
    Layer.provideMerge(Listening),
    Layer.merge(MetricsServer.layer),
    // Before the listener: nothing is answered until the jobs are there, and they end after it.
    Layer.provideMerge(Jobs),
    Layer.provide(Layer.succeed(ServerSettings, settings)),
    Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(settings.maxRequestBytes))),
    Layer.provide(Layer.succeed(MetricRegistry, new Map()))
  )
  // Fresh: two servers started within one layer would otherwise share their jobs.
  const context = yield* Layer.build(Layer.fresh(App)).pipe(
    Effect.mapError((cause) =>
      cause instanceof ScraperStartError ? cause : new ScraperStartError({ message: "The server cannot start", cause })
    )
  )
  yield* Effect.addFinalizer(() => Context.get(context, Lifecycle).drain)
  return {
    baseUrl: HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address),
    metricsUrl: Option.getOrUndefined(Context.get(context, MetricsServer).url)
  }
})

/** How long an answer that was cut short has to reach the caller. */
const flushMs = 500
