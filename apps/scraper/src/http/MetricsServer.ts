import { createServer } from "node:http"
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer, Option } from "effect"
import { HttpRouter, HttpServer, type HttpServerError, HttpServerResponse } from "effect/http"
import { exposition, setGauge } from "../metrics/Metrics.ts"
import { Renderer } from "../rendering/Renderer.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import { JobGauges } from "./JobGauges.ts"
import { answerHead } from "./listener.ts"

/** Where metrics are served, if they are. */
export class MetricsServer extends Context.Service<MetricsServer, { readonly url: Option.Option<string> }>()(
  "@sluice/scraper/http/MetricsServer"
) {
  /** `/metrics` on a port of its own, so that callers of the API do not see it. */
  static readonly layer: Layer.Layer<MetricsServer, HttpServerError.ServeError, JobGauges | Renderer | ServerSettings> =
    Layer.unwrap(
      Effect.map(ServerSettings, ({ host, metricsPort }) => {
        if (metricsPort === undefined) return Layer.succeed(MetricsServer, { url: Option.none() })
        const Listening = NodeHttpServer.layer(
          () => createServer({ requestTimeout: 5000 }).prependListener("request", answerHead),
          {
            host,
            port: metricsPort,
            gracefulShutdownTimeout: 0
          }
        )
        const App = HttpRouter.serve(MetricsRoute, { disableLogger: true, disableListenLog: true }).pipe(
          Layer.provideMerge(Listening)
        )
        return Layer.effect(
          MetricsServer,
          Effect.map(HttpServer.HttpServer, ({ address }) => ({ url: Option.some(HttpServer.formatAddress(address)) }))
        ).pipe(
          // Fresh: it would share its router with the API otherwise.
          Layer.provide(Layer.fresh(App))
        )
      })
    )
}

const MetricsRoute = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const jobs = yield* JobGauges
    const renderer = yield* Renderer
    const delays = yield* eventLoopDelays
    const gauges = Effect.suspend(() => {
      const { heapUsed, rss } = process.memoryUsage()
      return Effect.all(
        [
          ...jobs.all().flatMap(([kind, { processing, queued }]) => [
            setGauge("jobs_open", "Jobs that wait or are in work, by kind", queued, { kind, status: "queued" }),
            setGauge("jobs_open", "Jobs that wait or are in work, by kind", processing, {
              kind,
              status: "processing"
            })
          ]),
          ...delays().map(([quantile, seconds]) =>
            setGauge(eventLoop.name, eventLoop.description, seconds, { quantile })
          ),
          setGauge("browser_pages", "Pages in the browser", renderer.rendering()),
          setGauge("browser_pages_waiting", "Pages that wait for the browser", renderer.waiting()),
          setGauge("resident_memory_bytes", "Memory of the process", rss),
          setGauge("heap_used_bytes", "JavaScript heap in use", heapUsed),
          setGauge("uptime_seconds", "Age of the process", process.uptime())
        ],
        { discard: true }
      )
    })
    yield* router.add(
      "GET",
      "/metrics",
      Effect.map(Effect.andThen(gauges, exposition), (text) =>
        HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
      )
    )
  })
)

const eventLoop = {
  name: "event_loop_delay_seconds",
  description: "How late the event loop was, since the last time this was asked for, by quantile"
}

/** How often the event loop is looked at, in milliseconds. */
const resolution = 10

/** Watches the event loop for the scope. Each answer is about the time since the one before. */
const eventLoopDelays = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const histogram = monitorEventLoopDelay({ resolution })
      histogram.enable()
      return histogram
    }),
    (histogram) => Effect.sync(() => histogram.disable())
  ),
  (histogram) => () => {
    const inSeconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - resolution / 1000)
    const delays = [
      ["0.5", inSeconds(histogram.percentile(50))],
      ["0.99", inSeconds(histogram.percentile(99))],
      ["1", inSeconds(histogram.count === 0 ? 0 : histogram.max)]
    ] as const
    histogram.reset()
    return delays
  }
)
