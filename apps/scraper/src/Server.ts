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
import { EnvelopedFaults, UnknownRoute } from "./door/Answers.ts"
import { AuthorizationLayer } from "./door/Auth.ts"
import { Health } from "./door/Health.ts"
import { BatchHandlers } from "./door/handlers/Batch.ts"
import { CrawlHandlers } from "./door/handlers/Crawl.ts"
import { ExtractHandlers } from "./door/handlers/Extract.ts"
import { HealthHandlers } from "./door/handlers/Health.ts"
import { MapHandlers } from "./door/handlers/Map.ts"
import { NotOfferedHandlers } from "./door/handlers/NotOffered.ts"
import { StatisticsHandlers } from "./door/handlers/Statistics.ts"
import { WebhookHandlers } from "./door/handlers/Webhooks.ts"
import { JobLoad } from "./door/JobLoad.ts"
import { Keyring } from "./door/Keyring.ts"
import { Draining, Lifecycle } from "./door/Lifecycle.ts"
import { listener } from "./door/Listener.ts"
import { Quota } from "./door/Quota.ts"
import { Reference } from "./door/Reference.ts"
import { ValidationLayer } from "./door/Validation.ts"
import { ExtractJobs } from "./extract/ExtractJobs.ts"
import { Extractor } from "./extract/Extractor.ts"
import { Fetcher } from "./fetching/Fetcher.ts"
import { HostQueue } from "./fetching/HostQueue.ts"
import { HttpGet } from "./fetching/HttpGet.ts"
import { Robots } from "./fetching/Robots.ts"
import { TargetAgent } from "./fetching/TargetAgent.ts"
import { Meter } from "./jobs/Meter.ts"
import { MetricRegistry } from "./metrics/Metrics.ts"
import { MetricsServer } from "./metrics/MetricsServer.ts"
import { RequestMetrics } from "./metrics/RequestMetrics.ts"
import { Proxies } from "./proxy/Proxies.ts"
import { BrowserProcess } from "./rendering/BrowserProcess.ts"
import { Renderer } from "./rendering/Renderer.ts"
import { type ScraperConfig, ScraperStartError, ServerSettings, withDefaults } from "./ScraperConfig.ts"
import { StateStore } from "./state/StateStore.ts"
import { Announcements } from "./webhooks/Announcements.ts"
import { WebhookDeliveries } from "./webhooks/WebhookDeliveries.ts"
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

const Telling = Announcements.layer.pipe(
  Layer.provideMerge(Webhooks.layer),
  Layer.provide(WebhookDeliveries.layer),
  Layer.provide([WebhookPost.layer, WebhookStore.layer])
)

const Jobs = Layer.mergeAll(Quota.layer, Health.layer).pipe(
  Layer.provideMerge(JobLoad.layer),
  Layer.provideMerge(Layer.mergeAll(Batches.layer, Crawls.layer, ExtractJobs.layer)),
  Layer.provideMerge(Layer.mergeAll(Extractor.layer, Maps.layer, Meter.layer, Telling)),
  Layer.provide(SiteDiscovery.layer),
  Layer.provideMerge(Fetching),
  Layer.provide(Converter.layer),
  Layer.provide([StateStore.layer, TargetAgent.layer]),
  Layer.provideMerge(Proxies.layer),
  Layer.provideMerge(Layer.mergeAll(Keyring.layer, Lifecycle.layer))
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
  Layer.provide([AuthorizationLayer, ValidationLayer])
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
    Layer.mergeAll(Routes, UnknownRoute, EnvelopedFaults, Draining, Reference, RequestMetrics),
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
