import type { RunStatus } from "../../ledger/Receipt.ts"
import type { BudgetBound } from "../../pipeline/Budget.ts"
import type { PlannedChange, StoreCheck } from "../../sink/SinkPlan.ts"

/**
 * What a run would do next: begin a run, resume the open one, read the jobs of an incomplete one again; wait or be refused while
 * another process works on it, halt because the pipeline has changed; `unknown` where the ledger must be upgraded to be read.
 */
export type PlannedAction = "begin" | "resume" | "reread" | "wait" | "refuse" | "halt" | "unknown"

/** A request to the API, and how often it is made; null where that shows only while the run works. */
export interface PlannedCall {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly times: number | null
}

/** What a run can cost from now on. */
export interface PlannedCost {
  /** The most tokens; null where no bound is known. */
  readonly most: number | null
  /** What bounds it, in words. */
  readonly because: string
  /** The setting that would give a bound, or a lower one. */
  readonly setting?: string
  /** What the last runs of the pipeline have cost, newest first. */
  readonly last: ReadonlyArray<{
    readonly run_id: string
    readonly started_at: string
    readonly status: RunStatus | "running"
    readonly tokens: number | null
  }>
}

/** What a bound of the budget leaves. */
export interface PlannedBudget {
  readonly bound: BudgetBound
  readonly most: number
  readonly spent: number
  readonly left: number
}

/** A store as the plan found it. */
export interface PlannedStore {
  readonly place: string
  readonly statements: ReadonlyArray<string>
  readonly checks: ReadonlyArray<StoreCheck>
}

/** A sink as the plan found it. */
export interface PlannedSink extends PlannedStore {
  readonly name: string
  readonly kind: string
  readonly changes: ReadonlyArray<PlannedChange>
}

/**
 * What a run of a pipeline would do and cost, found out without a write and without a request to the API. `hash` stands for all of
 * it but `cost.last`: while it is the same, a run does the same.
 */
export interface Plan {
  readonly pipeline: string
  readonly config_hash: string
  readonly api?: string
  readonly action: PlannedAction
  readonly run_id?: string
  /** Why it does that, in a sentence. */
  readonly because: string
  readonly calls: ReadonlyArray<PlannedCall>
  readonly cost: PlannedCost
  readonly budget: ReadonlyArray<PlannedBudget>
  readonly sinks: ReadonlyArray<PlannedSink>
  /** The store of the ledger, where that is no sink's. */
  readonly ledger?: PlannedStore
  readonly notes: ReadonlyArray<string>
  readonly hash: string
}
