import type { Ledger } from "@sluice/core"
import type { RunSummary } from "@sluice/core/sink"
import { Effect } from "effect"
import { ledgerCliError } from "./cliErrors.ts"

/** What a listed run has come to: pages that every sink holds, and tokens charged. */
export interface RunCounts {
  readonly pages: number | null
  readonly tokens: number | null
}

/** The counts of a run: those of its receipt, or, where it has not ended, of what has landed so far. */
export const runCounts = (ledger: Ledger, { receipt, runId }: RunSummary) =>
  receipt === null
    ? ledger.state(runId).pipe(
        Effect.map(({ jobs, loaded }): RunCounts => {
          const pages = [...loaded.values()].map(({ rows }) => rows.pages)
          return {
            pages: pages.length === 0 ? 0 : Math.min(...pages),
            tokens: jobs.reduce((sum, { tokensCharged }) => sum + tokensCharged, 0)
          }
        }),
        Effect.mapError(ledgerCliError)
      )
    : Effect.succeed<RunCounts>({ pages: receipt.pages.delivered, tokens: receipt.tokens.charged })
