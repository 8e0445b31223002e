import { Data } from "effect"
import type { Receipt } from "../../ledger/Receipt.ts"
import type { RunFailure } from "./runStatus.ts"

/**
 * A run ended as anything but `completed`. What it paid for is loaded, as far as the receipt says; `sluice resume` or the next run
 * continues it where it stayed open.
 *
 * `reason` is what stopped it. It is null where nothing failed and the job's own counters decided the status: `receipt.reason` says
 * it in words.
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
