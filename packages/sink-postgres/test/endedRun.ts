import type { Ledger, PageRecord, Receipt, Sink } from "@sluice/core"
import type { RunHandle, SinkConnection } from "@sluice/core/sink"
import { startRun } from "@sluice/testkit"
import { Effect } from "effect"

/** When the first of a test's runs begins. */
const firstStart = 1_750_000_000_000

/** The receipt of a run that has come to this status. */
const receiptOf = (run: RunHandle, status: Receipt["status"]): Receipt => ({
  run_id: run.runId,
  pipeline: run.pipeline,
  config_hash: run.configHash,
  status,
  started_at: new Date(run.startedAt).toISOString(),
  finished_at: new Date(run.startedAt + 1).toISOString(),
  jobs: [],
  pages: { discovered: 0, completed: 0, failed: 0, cancelled: 0, delivered: 0 },
  tokens: { charged: 0, reserved: 0 },
  sinks: [],
  requests: { submitted: 0, reads: 0, retries: 0 }
})

/** The nth run of a test: begun, written, published where it completed, and ended. */
export const endedRun = Effect.fnUntraced(function* (
  sink: Sink,
  connection: SinkConnection,
  given: {
    readonly nth: number
    readonly records: ReadonlyArray<PageRecord>
    readonly status?: Receipt["status"] | "open"
  }
) {
  const { nth, records, status = "completed" } = given
  const ledger: Ledger = connection.ledger!
  const started = yield* startRun(sink, connection, { startedAt: firstStart + nth * 1000 })
  yield* started.write(0, records)
  if (status === "completed") yield* started.publish
  if (status !== "open") yield* ledger.end(started.run, receiptOf(started.run, status))
  return started
})
