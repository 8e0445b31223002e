import { type LedgerError, Publication, type RunHandle } from "@sluice/core"
import { Effect, Stream } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { fence } from "../ledger/ledgerErrors.ts"
import { closeAfterOf, type PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { registerSet, type SetRefusal, setOf } from "../pages/PageSets.ts"
import { swapIn } from "../pages/ReplaceSet.ts"
import { publishHistory } from "./PublishHistory.ts"
import { keepRuns } from "./RetainedRuns.ts"
import { sweepSets } from "./SweepSets.ts"

type Failure = DatabaseError | LedgerError | SetRefusal

/**
 * Lets readers see a completed run, in the modes in which writing alone does not, and removes what is no longer to be kept of
 * earlier ones. Again, it changes nothing.
 */
export const publishRun = Effect.fnUntraced(function* (
  database: Database["Service"],
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.fn.Return<void, Failure, Publication> {
  yield* publishInMode(database, config, run)
  if (config.retain === undefined) return
  // The run is published, and what is left over goes after the next.
  yield* keepRuns(database, config, run, config.retain.runs).pipe(
    Effect.catch((error) => Effect.logWarning(`what earlier runs left could not be removed: ${error.message}`))
  )
})

const publishInMode = (
  database: Database["Service"],
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.Effect<void, Failure, Publication> => {
  switch (config.mode) {
    case "append":
    case "merge":
      return Effect.void
    case "replace":
      return publishReplace(database, config, run)
    case "history":
      return publishSightings(database, config, run)
  }
}

const publishReplace = Effect.fnUntraced(function* (
  database: Database["Service"],
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.fn.Return<void, Failure, Publication> {
  const set = setOf(config, run, null)
  yield* underEpoch(database, run, (tx) =>
    Effect.gen(function* () {
      const { setNo } = yield* registerSet(tx, set)
      yield* swapIn(tx, set, setNo)
    })
  )
  // Readers have the new pages. That the old ones take up room until the next run is no reason to fail this one.
  yield* sweepSets(database, set).pipe(
    Effect.catch((error) => Effect.logWarning(`what the run replaced could not be removed: ${error.message}`))
  )
})

const publishSightings = Effect.fnUntraced(function* (
  database: Database["Service"],
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.fn.Return<void, Failure, Publication> {
  const { isWhole, seen: keys } = yield* Publication
  if (!isWhole) {
    yield* Effect.logInfo("the crawl reached its limit or named none, so pages it did not find are not taken for gone")
  }
  // Before the transaction: an embedded database has one connection, and the ledger may be in it.
  const seen: Array<BigInt64Array> = []
  yield* Stream.runForEach(keys, (some) => Effect.sync(() => void seen.push(some)))
  yield* underEpoch(database, run, (tx) =>
    Effect.gen(function* () {
      const { setNo } = yield* registerSet(tx, setOf(config, run, null))
      yield* publishHistory(tx, setNo, run, { seen, isWhole, closeAfter: closeAfterOf(config) })
    })
  )
})

/** One transaction, proving at its end, where the ledger is in it, that no other process has taken the run over. */
const underEpoch = Effect.fnUntraced(function* <A, E>(
  database: Database["Service"],
  run: RunHandle,
  use: (tx: Transaction) => Effect.Effect<A, E>
): Effect.fn.Return<A, E | DatabaseError | LedgerError, Publication> {
  const { store } = yield* Publication
  return yield* database.transaction((tx) =>
    Effect.tap(use(tx), () => (store === database.store ? fence(tx, "publish", run) : Effect.void))
  )
})
