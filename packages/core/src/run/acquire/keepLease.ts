import { Effect } from "effect"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { RunContext } from "./RunContext.ts"

/** A lease is renewed this often while it lasts. */
const renewalsPerLease = 3

/** Renews a run's lease for as long as this runs. Fails once another process has taken the run over. */
export const keepLease = ({
  lease,
  ledger,
  run
}: Pick<RunContext, "lease" | "ledger" | "run">): Effect.Effect<never, LedgerError> =>
  ledger.renew(run, lease).pipe(
    Effect.catchIf(
      (error) => error.reason._tag === "LedgerUnavailable",
      () => Effect.logWarning("the ledger could not be reached to renew the lease")
    ),
    Effect.delay(lease.durationMs / renewalsPerLease),
    Effect.forever
  )
