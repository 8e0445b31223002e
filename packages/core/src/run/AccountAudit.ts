import type { AuditFinding } from "../sink/Audit.ts"
import type { ChargedWork } from "./ChargedWork.ts"

/** A run that may have been charged on a day. */
export interface RunOfDay {
  readonly runId: string
  readonly pipeline: string
  /** What its jobs of the day were charged, on this day or on others they touch. */
  readonly tokens: number
  readonly jobs: number
  /** {@link accountBounds}`.jobs` of them at most. */
  readonly works: ReadonlyArray<Pick<ChargedWork, "jobId" | "kind" | "charged" | "maybe">>
}

/** A day of UTC, by the API's account and by ours. */
export interface AccountDay {
  /** As `2026-05-01`. */
  readonly date: string
  /** Tokens that the API has charged. */
  readonly charged: number
  /** Those of them that runs explain, and those that none does. */
  readonly explained: number
  readonly unexplained: number
  /** Tokens that runs were charged by this day at the latest, and that the API's account does not show. */
  readonly missing: number
  readonly runs: number
  /** {@link accountBounds}`.runs` of them at most, on days that differ. */
  readonly runsOfDay: ReadonlyArray<RunOfDay>
}

/** What an account was charged, compared with what the runs of a ledger say. */
export interface AccountAudit {
  readonly days: ReadonlyArray<AccountDay>
  readonly findings: ReadonlyArray<AuditFinding>
}

/** Bounds of an audit of the account: days, runs looked through, and what is named of a day that differs. */
export const accountBounds = { days: 90, ledgerRuns: 10_000, runs: 20, jobs: 20 } as const
