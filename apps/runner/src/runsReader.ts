import type { Ledger } from "@sluice/core"
import type { RunFilter, RunState, RunSummary } from "@sluice/core/sink"
import { Postgres, PostgresLedger } from "@sluice/sink-postgres"
import { Effect, Option } from "effect"
import { databaseCliError, ledgerCliError } from "./cliErrors.ts"
import { ledgerSettings } from "./database.ts"
import type { PipelineFile } from "./PipelineFile.ts"

/** Of so many runs that have not ended it is read how far they are. */
const mostOpen = 20

/** A run as it is shown: where it has not ended, with what it has loaded. */
export interface ShownRun {
  readonly run: RunSummary
  readonly state: RunState | undefined
  /** The process that carries it out, where it is known to. */
  readonly holder: string | undefined
}

/** The ledger of a pipeline file, or of none, for reading alone: also one in an embedded database that a process is writing to. */
export const openReaderOf = Effect.fnUntraced(function* (file: Option.Option<PipelineFile>) {
  const config = yield* ledgerSettings(file)
  return PostgresLedger.make(yield* Postgres.openReader(config).pipe(Effect.mapError(databaseCliError)))
})

/** Runs, the newest first. */
export const readRuns = Effect.fnUntraced(function* (ledger: Ledger, filter: RunFilter & { readonly limit: number }) {
  const runs = yield* ledger.runs(filter).pipe(Effect.mapError(ledgerCliError))
  let open = 0
  return yield* Effect.forEach(runs, (run) =>
    Effect.gen(function* (): Effect.fn.Return<ShownRun> {
      if (run.receipt !== null || open++ >= mostOpen) return { run, state: undefined, holder: undefined }
      // A ledger that an earlier build has prepared lacks what this one would read: then it is not known.
      const state = yield* Effect.option(ledger.state(run.runId))
      const held = Option.getOrUndefined(yield* Effect.option(ledger.open({ runId: run.runId })))
      return {
        run,
        state: Option.getOrUndefined(state),
        holder: held === undefined || held.leaseLeftMs <= 0 ? undefined : (held.holder ?? undefined)
      }
    })
  )
})
