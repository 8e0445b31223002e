import { Effect } from "effect"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { RunStatus } from "../../ledger/Receipt.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import type { RunContext, SinkTarget } from "../acquire/RunContext.ts"
import { type Publishable, publishRun } from "./publishRun.ts"

/** Publishes one run. */
export interface RunPublisher {
  readonly publishable: (status: RunStatus) => Publishable
  readonly publish: (
    status: RunStatus,
    targets: ReadonlyArray<SinkTarget>
  ) => Effect.Effect<void, SinkError | LedgerError>
  /** Publishes what was paid for of a run that did not complete. The result is whether readers see it; a failure is logged. */
  readonly publishPaid: (status: RunStatus, targets: ReadonlyArray<SinkTarget>) => Effect.Effect<boolean>
}

/** Makes the publisher of a run. Each step that fails transiently is tried this many times more. */
export const runPublisher = (
  { source }: Pick<PipelineDefinition, "source">,
  { lease, ledger, run, tracker }: RunContext,
  times: number
): RunPublisher => {
  const publishable = (status: RunStatus): Publishable => ({
    run,
    ledger,
    source,
    status,
    jobs: tracker.jobs,
    completedIn: (sink) => tracker.loaded(sink).tally.completed,
    assertLease: ledger.renew(run, lease)
  })
  const publish: RunPublisher["publish"] = (status, targets) => publishRun(publishable(status), { targets, times })
  return {
    publishable,
    publish,
    publishPaid: (status, targets) =>
      Effect.matchEffect(publish(status, targets), {
        onSuccess: () => Effect.succeed(true),
        onFailure: (error) =>
          Effect.as(
            Effect.logWarning(`loaded, but not published: run \`sluice resume ${run.runId}\`: ${error.message}`),
            false
          )
      })
  }
}
