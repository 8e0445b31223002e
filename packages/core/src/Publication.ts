import { Context, type Stream } from "effect"
import type { LedgerError } from "./Ledger.ts"

/** What a run that has completed is published with. A sink that needs none of it leaves it unasked. */
export class Publication extends Context.Service<
  Publication,
  {
    /** Identity of the ledger's store: a sink in the same one publishes under the run's epoch, as it writes. */
    readonly store: object
    /**
     * Keys of every page whose end the run has seen, over all its attempts and however it ended: those this sink took, set
     * aside, or was never given because a transform left them out. A key may come more than once.
     */
    readonly seen: Stream.Stream<BigInt64Array, LedgerError>
    /** Whether what the run has not seen is not there: a crawl that names no limit, or has reached it, cannot tell. */
    readonly isWhole: boolean
  }
>()("@sluice/core/Publication") {}
