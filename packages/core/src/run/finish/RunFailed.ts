import { Data } from "effect"
import type { Receipt } from "../../ledger/Receipt.ts"
import type { RunFailure } from "./runStatus.ts"

/**
 * A run ended as anything but `completed`. `receipt` says what was paid and loaded all the same; `sluice resume` or the next run of
 * the pipeline continues a run that stayed open.
 *
 * `reason` is what stopped it. It is null where nothing failed and the job's own counters decided the status: `receipt.reason` says
 * it in words. Tokens in the receipt are tokens of the API.
 *
 * @example
 * ```ts
 * import { Crawl, Pipeline } from "@sluice/core"
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Console, Effect } from "effect"
 *
 * const pipeline = Pipeline.make({
 *   name: "docs",
 *   source: Crawl.make({ url: "https://example.com/", limit: 100 }),
 *   sinks: [Postgres.sink({ url: "postgres://localhost/lake" })]
 * })
 * const receipt = Pipeline.run(pipeline).pipe(
 *   Effect.tapErrorTag("RunFailed", ({ message, receipt }) => Console.error(message, receipt.tokens.charged))
 * )
 * ```
 */
export class RunFailed extends Data.TaggedError("RunFailed")<{
  readonly receipt: Receipt
  readonly reason: RunFailure | null
}> {
  override get message(): string {
    const { reason = "no reason kept", run_id: runId, status } = this.receipt
    return `run ${runId} ended as ${status}: ${reason}`
  }
}
