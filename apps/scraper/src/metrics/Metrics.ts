import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"

/**
 * What the server counts of itself. Labels take few values: kinds, states, codes of the contract. No key, URL, host or id is one.
 * Each server has a registry of its own.
 */
const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

const seconds = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100]

const requests = counter("http_requests_total", "Requests answered, by part of the API and status")
const requestSeconds = Metric.histogram("http_request_duration_seconds", {
  description: "How long requests took to be answered",
  boundaries: seconds
})
const pages = counter("pages_total", "Pages that ended, by outcome and error_code")
const pageSeconds = Metric.histogram("page_duration_seconds", {
  description: "How long pages took, from their first request, by outcome",
  boundaries: seconds
})
const fetchedBytes = counter("fetched_bytes_total", "Bytes of the bodies that were read, after decompression")
const skippedLinks = counter(
  "links_left_out_total",
  "Links that crawls did not follow, by the rule against traps that kept them from it"
)
const jobsEnded = counter("jobs_ended_total", "Jobs that ended, by kind and status")
const refusals = counter("refusals_total", "Requests refused for a limit of their key, by limit")
const deliveries = counter("webhook_attempts_total", "Attempts to deliver a webhook, by what the delivery came to")
const stateFailures = counter(
  "state_failures_total",
  "Requests that failed because the state could not be read or written"
)

const labelled = <Input, State>(metric: Metric.Metric<Input, State>, labels: Readonly<Record<string, string>>) =>
  Metric.withAttributes(metric, labels)

/** A request that was answered. `part` is one of a few names. */
export const requestAnswered = (part: string, status: number, durationMs: number) =>
  Effect.andThen(
    Metric.update(labelled(requests, { part, status: String(status) }), 1),
    Metric.update(labelled(requestSeconds, { part }), durationMs / 1000)
  )

/** A page that ended, of a job or not. */
export const pageEnded = (errorCode: string | null, durationMs: number) => {
  const outcome = errorCode === null ? "completed" : "failed"
  return Effect.andThen(
    Metric.update(labelled(pages, { outcome, error_code: errorCode ?? "" }), 1),
    Metric.update(labelled(pageSeconds, { outcome }), durationMs / 1000)
  )
}

export const bytesFetched = (bytes: number) => Metric.update(fetchedBytes, bytes)
export const linksSkipped = (rule: string, count: number) => Metric.update(labelled(skippedLinks, { rule }), count)
export const jobEnded = (kind: string, status: string) => Metric.update(labelled(jobsEnded, { kind, status }), 1)
export const refusedFor = (limit: "key" | "requests_per_minute" | "open_jobs" | "token_balance") =>
  Metric.update(labelled(refusals, { limit }), 1)
export const webhookAttempted = (outcome: string) => Metric.update(labelled(deliveries, { outcome }), 1)
export const stateFailed = Metric.update(stateFailures, 1)

/** Sets what is measured at the moment it is asked for. */
export const setGauge = (
  name: string,
  description: string,
  value: number,
  labels: Readonly<Record<string, string>> = {}
) => Metric.update(labelled(Metric.gauge(name, { description }), labels), value)

/** A registry for one server. */
export const MetricRegistry = Metric.MetricRegistry

/** All of it as Prometheus reads it. */
export const exposition = PrometheusMetrics.format({ prefix: "sluice_scraper" })
