import { type LedgerError, Publication, type PublishPreview, type RunHandle } from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { fence } from "../ledger/ledgerErrors.ts"
import { closeAfterOf, type LoadMode, type PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { registerSet, type SetRefusal, setOf } from "../pages/PageSets.ts"
import { swapIn } from "../pages/ReplaceSet.ts"
import { previewHistory, publishHistory } from "./PublishHistory.ts"
import { previewReplace } from "./previewReplace.ts"
import { keepRuns } from "./RetainedRuns.ts"
import { sweepSets } from "./SweepSets.ts"

type Failure = DatabaseError | LedgerError | SetRefusal

/**
 * Lets readers see a completed run, in the modes in which writing alone does not, and removes what is no longer to be kept of
 * earlier ones. Again, it changes nothing. `swept` waits for the removal that began with the session.
 */
export const publishRun = Effect.fnUntraced(function* (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle,
  swept: Effect.Effect<unknown>
): Effect.fn.Return<void, Failure, Publication> {
  yield* publishInMode(database, config, run, swept)
  if (config.retain === undefined) return
  // The run is published, and what is left over goes after the next.
  yield* keepRuns(database, config, run, config.retain.runs).pipe(
    Effect.catch((error) => Effect.logWarning(`what earlier runs left could not be removed: ${error.message}`))
  )
})

const publishInMode = (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle,
  swept: Effect.Effect<unknown>
): Effect.Effect<void, Failure, Publication> => {
  switch (config.mode) {
    case "append":
    case "merge":
      return Effect.void
    case "replace":
      return publishReplace(database, config, run, swept)
    case "history":
      return publishSightings(database, config, run)
  }
}

const publishReplace = Effect.fnUntraced(function* (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle,
  swept: Effect.Effect<unknown>
): Effect.fn.Return<void, Failure, Publication> {
  const { completed, isDistinct } = yield* Publication
  const set = setOf(config, run, null)
  yield* underEpoch(database, run, (tx) =>
    Effect.gen(function* () {
      const { setNo } = yield* registerSet(tx, set)
      yield* swapIn(tx, set, { setNo, completed: isDistinct ? completed : null })
    })
  )
  // That sweep may hold the set just replaced: the next would skip it, and the end of the session interrupt the first.
  yield* swept
  // Readers have the new pages. That the old ones take up room until the next run is no reason to fail this one.
  yield* sweepSets(database, set).pipe(
    Effect.catch((error) => Effect.logWarning(`what the run replaced could not be removed: ${error.message}`))
  )
})

const publishSightings = Effect.fnUntraced(function* (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.fn.Return<void, Failure, Publication> {
  const { isExhaustive } = yield* Publication
  if (!isExhaustive) {
    yield* Effect.logInfo("the crawl reached its limit or named none, so pages it did not find are not taken for gone")
  }
  const seen = yield* seenKeys
  yield* underEpoch(database, run, (tx) =>
    Effect.gen(function* () {
      const { setNo } = yield* registerSet(tx, setOf(config, run, null))
      yield* publishHistory(tx, setNo, run, { seen, isExhaustive, closeAfter: closeAfterOf(config) })
    })
  )
})

/** Read before a transaction is begun: an embedded database has one connection, and the ledger may be in it. */
const seenKeys = Effect.gen(function* () {
  const { seenKeys: keys } = yield* Publication
  const seen: Array<BigInt64Array> = []
  yield* Stream.runForEach(keys, (some) => Effect.sync(() => void seen.push(some)))
  return seen
})

/** What publishing would take from readers, in the modes in which it takes something away. */
export const previewPublish = (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.Effect<PublishPreview, DatabaseError | LedgerError | SetRefusal, Publication> | undefined => {
  switch (config.mode) {
    case "append":
    case "merge":
      return undefined
    case "replace":
      return previewReplace(database, config, run)
    case "history":
      return previewSightings(database, config, run)
  }
}

const previewSightings = Effect.fnUntraced(function* (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.fn.Return<PublishPreview, Failure, Publication> {
  const { completed, isDistinct, isExhaustive } = yield* Publication
  if (!isExhaustive) return { before: 0, after: 0 }
  const seen = yield* seenKeys
  const found = isDistinct ? completed : 0
  return yield* database.transaction((tx) =>
    Effect.gen(function* () {
      const { setNo } = yield* registerSet(tx, setOf(config, run, null))
      return yield* previewHistory(tx, setNo, run, { seen, found, closeAfter: closeAfterOf(config) })
    })
  )
})

/** What readers see of a run that is loaded and not published. */
export const unpublishedIn = (mode: LoadMode): string => {
  switch (mode) {
    case "append":
    case "merge":
      return `readers see its pages already, as mode ${mode} shows them when they land`
    case "replace":
      return "readers see none of it"
    case "history":
      return "readers see the pages it found, and no page was closed for being missing"
  }
}

/** One transaction, proving at its end, where the ledger is in it, that no other process has taken the run over. */
const underEpoch = Effect.fnUntraced(function* <A, E>(
  database: Database,
  run: RunHandle,
  use: (tx: Transaction) => Effect.Effect<A, E>
): Effect.fn.Return<A, E | DatabaseError | LedgerError, Publication> {
  const { store } = yield* Publication
  return yield* database.transaction((tx) =>
    Effect.tap(use(tx), () => (store === database.store ? fence(tx, "publish", run) : Effect.void))
  )
})
