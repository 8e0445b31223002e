import { rename, rm, writeFile } from "node:fs/promises"
import type { Receipt } from "@sluice/core"
import { Effect } from "effect"
import { tell } from "./Output.ts"

/** What is known of a run as it begins. */
export interface RunBegun {
  readonly pipeline: string
  readonly startedAt: number
  /** Why it could not begin. */
  readonly failure?: string
}

/** A file for who watches a scheduled run: JSON, replaced as a whole when the run begins and when it ends. */
export const writeHealth = (file: string, state: RunBegun | Receipt): Effect.Effect<void> =>
  replace(file, `${JSON.stringify("status" in state ? healthOf(state) : begun(state))}\n`)

const begun = ({ failure, pipeline, startedAt }: RunBegun) => ({
  status: failure === undefined ? "running" : "failed",
  healthy: failure === undefined,
  ...(failure === undefined ? {} : { reason: failure }),
  pipeline,
  started_at: new Date(startedAt).toISOString(),
  pid: process.pid
})

const healthOf = ({ finished_at, pages, pipeline, reason, run_id, started_at, status, tokens }: Receipt) => ({
  status,
  healthy: status === "completed",
  pipeline,
  run_id,
  started_at,
  finished_at,
  pages: { delivered: pages.delivered, failed: pages.failed },
  tokens: tokens.charged,
  ...(reason === undefined ? {} : { reason })
})

/** A file for the textfile collector of Prometheus' node exporter, replaced as a whole when a run ends. */
export const writeMetrics = (file: string, receipt: Receipt): Effect.Effect<void> => replace(file, metricsText(receipt))

/** The metrics of a run in the text format of Prometheus. */
export const metricsText = (receipt: Receipt): string => {
  const { failures = [], pages, pipeline, sinks, status, tokens } = receipt
  const ended = Date.parse(receipt.finished_at)
  const run = { pipeline }
  const metrics: ReadonlyArray<Metric> = [
    ["last_run_status", "1 for the status the last run ended with", [[{ ...run, status }, 1]]],
    ["last_run_success", "Whether the last run completed", [[run, status === "completed" ? 1 : 0]]],
    ["last_run_end_timestamp_seconds", "When the last run ended", [[run, ended / 1000]]],
    [
      "last_run_duration_seconds",
      "How long the last run took",
      [[run, (ended - Date.parse(receipt.started_at)) / 1000]]
    ],
    [
      "last_run_pages",
      "Pages of the last run, by how they ended",
      (["delivered", "completed", "failed", "cancelled"] as const).map((state) => [{ ...run, state }, pages[state]])
    ],
    [
      "last_run_failed_pages",
      "Failed pages of the last run, by error code",
      failures.map(({ code, count, http_status: http }) => [
        { ...run, code, http_status: http === undefined ? "" : `${http}` },
        count
      ])
    ],
    ["last_run_tokens_charged", "Tokens the last run was charged", [[run, tokens.charged]]],
    [
      "last_run_dead_letters",
      "Records of the last run that became dead letters, by sink",
      sinks.map(({ dead_letters: dead, name }) => [{ ...run, sink: name }, dead])
    ]
  ]
  return metrics.map(textOf).join("")
}

type Labels = Readonly<Record<string, string>>
type Metric = readonly [name: string, help: string, samples: ReadonlyArray<readonly [labels: Labels, value: number]>]

const textOf = ([name, help, samples]: Metric): string =>
  samples.length === 0
    ? ""
    : [
        `# HELP sluice_${name} ${help}`,
        `# TYPE sluice_${name} gauge`,
        ...samples.map(([labels, value]) => {
          const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
          return `sluice_${name}{${pairs.join(",")}} ${value}`
        }),
        ""
      ].join("\n")

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

/** Replaces a file in one step. A run does not fail for it. */
const replace = (file: string, text: string): Effect.Effect<void> => {
  const partial = `${file}.${process.pid}.partial`
  return Effect.tryPromise(async () => {
    try {
      await writeFile(partial, text)
      await rename(partial, file)
    } catch (cause) {
      await rm(partial, { force: true })
      throw cause
    }
  }).pipe(
    Effect.catch(({ cause }) =>
      tell(
        `sluice: ${file} cannot be written to (${cause instanceof Error && "code" in cause ? cause.code : "failed"})`
      )
    )
  )
}
