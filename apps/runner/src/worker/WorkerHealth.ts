import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"

/** What a worker knows of itself, for probes and metrics. Instants are epoch milliseconds. */
export interface WorkerHealth {
  /** By database, in the order of the worker: when it was last asked, and whether it answered. */
  readonly databases: Map<number, { readonly askedAt: number; readonly hasAnswered: boolean }>
  /** The runs that are carried out. */
  running: number
  /** When the oldest tick was due that waits to begin; null where none does. */
  oldestDueAt: number | null
}

/** The health of a worker that has not looked at a database yet. */
export const makeWorkerHealth = (databases: number): WorkerHealth => ({
  databases: new Map(Array.from({ length: databases }, (_, at) => [at, { askedAt: 0, hasAnswered: false }])),
  running: 0,
  oldestDueAt: null
})

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })
const attempts = counter("attempts_total", "Attempts at runs that ended, by what they did and by exit code")
const ticks = counter("ticks_total", "Ticks that this worker decided or skipped, by what became of them")
const gauge = (name: string, description: string) => Metric.gauge(name, { description })
const running = gauge("runs_in_progress", "Runs that this worker carries out")
const tickAge = gauge("oldest_tick_age_seconds", "How long the oldest tick waits to begin; 0 where none does")
const unanswered = gauge("databases_unreachable", "Databases of schedules that did not answer at the last look")

/** An attempt at a run that ended. */
export const attemptEnded = (action: string, exitCode: number | "outrun") =>
  Metric.update(Metric.withAttributes(attempts, { action, exit_code: String(exitCode) }), 1)

/** Ticks of which something became. */
export const ticksDecided = (state: string, count: number) =>
  count === 0 ? Effect.void : Metric.update(Metric.withAttributes(ticks, { state }), count)

/** All of it as Prometheus reads it. */
export const exposition = (health: WorkerHealth, now: number) =>
  Effect.all(
    [
      Metric.update(running, health.running),
      Metric.update(tickAge, health.oldestDueAt === null ? 0 : Math.max(0, now - health.oldestDueAt) / 1000),
      Metric.update(unanswered, [...health.databases.values()].filter(({ hasAnswered }) => !hasAnswered).length)
    ],
    { discard: true }
  ).pipe(Effect.andThen(PrometheusMetrics.format({ prefix: "sluice_worker" })))
