import { Schema } from "effect"

/**
 * When the API's job list is asked, before a run's first submissions, for jobs of the same request that no run explains: before
 * each run (`check`) or never (`ignore`). Absent: where the ledger may be younger than the truth.
 */
export const OrphanPolicy = Schema.Literals(["check", "ignore"]).annotate({
  description:
    "Ask the API's job list for jobs of the same request that no run explains: before each run (check) or never (ignore). Absent: where the ledger is empty or lacks a run."
})
export type OrphanPolicy = typeof OrphanPolicy.Type
