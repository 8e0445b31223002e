import { Context, type Effect, type Stream } from "effect"
import type { CommittedSegment, LedgerError } from "../ledger/Ledger.ts"
import type { RunStatus } from "../ledger/Receipt.ts"

/** What a run is published with. A sink that needs none of it leaves it unasked. */
export class Publication extends Context.Service<
  Publication,
  {
    /** Identity of the ledger's store: a sink in the same one publishes under the run's epoch, as it writes. */
    readonly store: object
    /** How the run has ended. */
    readonly status: RunStatus
    /** Completed pages of this sink, over all attempts of the run, each as often as it was delivered. Dead letters are not in it. */
    readonly completed: number
    /** Whether no page can have been delivered twice, so that `completed` counts pages. */
    readonly isDistinct: boolean
    /** The segments of this sink that the ledger has committed, over all attempts of the run. Readers may see nothing else. */
    readonly segments: Stream.Stream<CommittedSegment, LedgerError>
    /**
     * Keys of every page whose end the run has seen, over all its attempts: those this sink committed or quarantined, and those a
     * transform dropped before it. A key may occur more than once.
     */
    readonly seenKeys: Stream.Stream<BigInt64Array, LedgerError>
    /** Whether a page the run has not seen does not exist. A crawl without a limit, or one that reached it, cannot know. */
    readonly isExhaustive: boolean
    /** Fails when another process has taken the run over: for a store that the ledger's fence does not reach. */
    readonly assertLease: Effect.Effect<void, LedgerError>
  }
>()("@sluice/core/Publication") {}
