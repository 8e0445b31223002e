import type { DeadLetter } from "@sluice/core/sink"
import { Effect } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import { DatabaseError } from "../database/DatabaseError.ts"
import type { LoadMode } from "../PostgresSinkConfig.ts"
import type { SetSuperseded } from "../pages/PageSets.ts"
import { assertOpen } from "../pages/ReplaceSet.ts"
import type { RowKeyedRecord } from "../pages/Rows.ts"
import { loadOrQuarantine } from "./Bisection.ts"
import { findExisting, partition } from "./existingPages.ts"
import { loadHistory } from "./HistorySegment.ts"
import { copyNew, updateMetadata } from "./LoadSegment.ts"
import { type Loss, noLoss, sumOf } from "./Loss.ts"
import { mergeRecords } from "./MergeSegment.ts"
import type { PartitionedRecords } from "./partitionRecords.ts"

/** What is landed in one transaction: what goes into the tables, and what is written beside it. */
export interface LoadPlan<A, E> {
  readonly mode: LoadMode
  readonly runId: string
  /** Begins the transaction. Repeated when all was rolled back. */
  readonly sifted: (tx: Transaction) => Effect.Effect<PartitionedRecords, E>
  /**
   * Ends it; `letters` are the records that are not loaded, those the server refused among them, `lost` what it has dropped of
   * the others.
   */
  readonly finish: (
    tx: Transaction,
    records: ReadonlyArray<RowKeyedRecord>,
    deadLetters: ReadonlyArray<DeadLetter>,
    lost: Loss
  ) => Effect.Effect<A, E>
}

const carefulAttempts = 3

/**
 * Loads records in one transaction. The fast way copies pages that are new straight into the keyed tables; whenever the server
 * refuses that, all is rolled back and the careful way merges page by page what differs and quarantines what the server does
 * not take.
 */
export const loadRecords = <A, E>(
  database: Database,
  { finish, mode, runId, sifted }: LoadPlan<A, E>
): Effect.Effect<A, E | DatabaseError | SetSuperseded> => {
  const { loadCarefully, loadFast } = mode === "history" ? versioned : unversioned
  const attempt = (load: typeof loadFast) =>
    database.transaction(
      Effect.fnUntraced(function* (tx) {
        const { deadLetters, records } = yield* sifted(tx)
        if (mode === "replace") yield* assertOpenSets(tx, runId, records)
        const { lost, refused } = yield* load(tx, records)
        return yield* finish(tx, records, [...deadLetters, ...refused], lost)
      })
    )
  return attempt(loadFast).pipe(
    Effect.catchIf(isWorthCare, () =>
      attempt(loadCarefully).pipe(Effect.retry({ times: carefulAttempts - 1, while: isWorthCare }))
    )
  )
}

/** Rows in the way and refused data; a server that is gone is not asked again. */
const isWorthCare = (error: unknown): error is DatabaseError =>
  error instanceof DatabaseError && (error.reason._tag === "RejectedData" || error.reason._tag === "Conflict")

/** In replace mode: a segment of a run that a later one has superseded would leave rows that nobody removes. */
const assertOpenSets = (tx: Transaction, runId: string, records: ReadonlyArray<RowKeyedRecord>) =>
  Effect.forEach(new Set(records.map(({ setNo }) => setNo)), (setNo) => assertOpen(tx, setNo, runId), { discard: true })

type Load = (tx: Transaction, records: ReadonlyArray<RowKeyedRecord>) => Effect.Effect<Loss, DatabaseError>

/** What of the records was not loaded. */
interface Loaded {
  readonly refused: ReadonlyArray<DeadLetter>
  readonly lost: Loss
}

/** A way to load what is likely to be taken as it is, and one that finds out what is not. */
const loading = ({ careful, fast }: { readonly fast: Load; readonly careful: Load }) => ({
  loadFast: (tx: Transaction, records: ReadonlyArray<RowKeyedRecord>): Effect.Effect<Loaded, DatabaseError> =>
    Effect.map(fast(tx, records), (lost) => ({ refused: [], lost })),
  loadCarefully: Effect.fnUntraced(function* (
    tx: Transaction,
    records: ReadonlyArray<RowKeyedRecord>
  ): Effect.fn.Return<Loaded, DatabaseError> {
    const refused: Array<DeadLetter> = []
    const losses = yield* loadOrQuarantine(
      tx,
      records,
      // Without a record, history has nothing to merge; what it merges with is asked all the same.
      (batch) => (batch.length === 0 ? mergeRecords(tx, batch) : careful(tx, batch)),
      ({ record }, refusal) =>
        refused.push({ record, reason: "refused", detail: `${refusal.detail} (SQLSTATE ${refusal.sqlState})` })
    )
    return { refused, lost: sumOf(losses) }
  })
})

const unversionedLoads = {
  fast: Effect.fnUntraced(function* (
    tx: Transaction,
    records: ReadonlyArray<RowKeyedRecord>
  ): Effect.fn.Return<Loss, DatabaseError> {
    const { added, changed, refetched } = partition(records, yield* findExisting(tx, records))
    const copied = yield* copyNew(tx, added)
    const merged = changed.length === 0 ? noLoss : yield* mergeRecords(tx, changed)
    yield* updateMetadata(tx, refetched)
    return sumOf([copied, merged])
  }),
  careful: mergeRecords
}

const versionedLoads = {
  fast: loadHistory,
  careful: (tx: Transaction, records: ReadonlyArray<RowKeyedRecord>) =>
    loadHistory(
      tx,
      records.map((record) => ({ ...record, mayExist: true }))
    )
}

const unversioned = loading(unversionedLoads)
const versioned = loading(versionedLoads)

/** The two ways in which a mode loads, without care: they fail with what the server refuses. */
export const loadsOf = (mode: LoadMode): { readonly fast: Load; readonly careful: Load } =>
  mode === "history" ? versionedLoads : unversionedLoads
