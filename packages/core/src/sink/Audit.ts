import type { Stream } from "effect"
import type { Receipt } from "../ledger/Receipt.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import type { SinkError } from "./SinkError.ts"

/** Something an audit has come upon. */
export interface AuditFinding {
  /**
   * `differs`: what is there is not what is claimed. `unknown`: it cannot be told any more, and why. `note`: worth knowing, and
   * as it should be.
   */
  readonly kind: "differs" | "unknown" | "note"
  /** Where: `postgres`, `s3` or whatever a sink is called; `ledger`, `vault`, `api`. */
  readonly where: string
  /** What it is about: a URL, an object, a job, a table. */
  readonly subject: string
  /** What is claimed and what is there, in words. Quotes no page. */
  readonly detail: string
}

/** Findings about one place. */
export const findingsOf = (where: string) => ({
  differs: (subject: string, detail: string): AuditFinding => ({ kind: "differs", where, subject, detail }),
  unknown: (subject: string, detail: string): AuditFinding => ({ kind: "unknown", where, subject, detail }),
  note: (subject: string, detail: string): AuditFinding => ({ kind: "note", where, subject, detail })
})

/** What is claimed of a run, for a sink to hold what it has against. */
export interface AuditClaim {
  readonly runId: string
  readonly pipeline: string
  readonly receipt: Receipt
  /** What the receipt claims of this sink. */
  readonly claimed: Receipt["sinks"][number]
  /** Whether readers have been shown the run: it completed, or was published after all. */
  readonly isPublished: boolean
  /** Whether no run of the pipeline began later: else what it delivered may have been replaced since. */
  readonly isLatest: boolean
  /** What the sink was given, segment by segment, where a vault holds it. */
  readonly records: Stream.Stream<ReadonlyArray<PageRecord>, SinkError> | undefined
}
