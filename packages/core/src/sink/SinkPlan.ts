import type { Effect, Scope } from "effect"
import type { Ledger } from "../ledger/Ledger.ts"
import type { SinkError } from "./SinkError.ts"

/** Something that a run needs of a store, and whether it has it; `unknown` where only a write would tell. */
export interface StoreCheck {
  readonly what: string
  readonly result: "ok" | "missing" | "unknown"
}

/**
 * A store as a run would find it, and what the run would execute to prepare it. `ledger` is read alone; it is `new` where the store
 * keeps one that does not exist yet, `outdated` where it must be upgraded before it can be read, and absent where the store keeps none.
 */
export interface StorePlan {
  /** Where the store is, without a secret. */
  readonly place: string
  /** The statements that prepare it, in their order; none where it is prepared. */
  readonly statements: ReadonlyArray<string>
  readonly checks: ReadonlyArray<StoreCheck>
  /** Name and version of the server, where one was asked. */
  readonly server?: string
  readonly ledger?: Ledger | "new" | "outdated"
}

/** What a run does to what readers see. */
export interface PlannedChange {
  readonly action: "create" | "add" | "replace" | "close"
  readonly what: string
}

/** What a run would do to a sink. */
export interface SinkPlan extends StorePlan {
  readonly changes: ReadonlyArray<PlannedChange>
}

/** Looks at a store without a write, the way `connect` would prepare it. Fails where a run would be refused. */
export type PlanSink = (pipeline: string) => Effect.Effect<SinkPlan, SinkError, Scope.Scope>
