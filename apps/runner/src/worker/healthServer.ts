import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Clock, Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { failed } from "../CliError.ts"
import { exposition, type WorkerHealth } from "./WorkerHealth.ts"

/** A worker that has not asked a database for so long does not work any more, in milliseconds: its longest pause is 30 seconds. */
export const deadAfterMs = 180_000

/** Requests of probes are small. */
const requestTimeout = 5000

/**
 * Serves `/livez` (the worker still looks for work), `/readyz` (each database answered at the last look) and `/metrics` for the scope.
 * Answers the address. None of them shows a name, an address or a secret.
 */
export const serveHealth = Effect.fnUntraced(function* (
  health: WorkerHealth,
  { host, port }: { readonly host: string; readonly port: number }
) {
  const text = (isGood: boolean, words: string) =>
    HttpServerResponse.text(`${words}\n`, { status: isGood ? 200 : 503, headers: { "cache-control": "no-store" } })
  const live = Effect.map(Clock.currentTimeMillis, (now) => {
    const isAlive = [...health.databases.values()].every(({ askedAt }) => now - askedAt < deadAfterMs)
    return text(isAlive, isAlive ? "ok" : "the worker has stopped looking for work")
  })
  const ready = Effect.sync(() => {
    const silent = [...health.databases.values()].filter(({ hasAnswered }) => !hasAnswered).length
    return text(silent === 0, silent === 0 ? "ok" : `${silent} of ${health.databases.size} databases do not answer`)
  })
  const metrics = Effect.map(
    Effect.flatMap(Clock.currentTimeMillis, (now) => exposition(health, now)),
    (body) => HttpServerResponse.text(body, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
  )
  const routes = Layer.mergeAll(
    HttpRouter.add("GET", "/livez", live),
    HttpRouter.add("GET", "/readyz", ready),
    HttpRouter.add("GET", "/metrics", metrics)
  )
  const listening = NodeHttpServer.layer(() => createServer({ requestTimeout }), {
    host,
    port,
    gracefulShutdownTimeout: 0
  })
  const built = yield* Layer.build(
    HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(Layer.provideMerge(listening))
  ).pipe(
    Effect.mapError(() =>
      failed(`${host}:${port} cannot be listened on: another process has it, or it is not an address of this machine`)
    )
  )
  return yield* Effect.provide(
    Effect.map(HttpServer.HttpServer, ({ address }) => HttpServer.formatAddress(address)),
    built
  )
})
