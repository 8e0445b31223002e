import type { Commit, LedgerError, PageRecord, Segment, WriteResult } from "@sluice/core"
import { Effect } from "effect"
import { loadOrSetAside } from "./Bisection.ts"
import type { Database, Transaction } from "./Database.ts"
import { DatabaseError } from "./DatabaseError.ts"
import { writeDeadLetters } from "./DeadLetters.ts"
import { type DeadLetter, dirtDetail, findDirt } from "./DirtyRecords.ts"
import { fingerprint } from "./Fingerprint.ts"
import { loadHistory } from "./HistorySegment.ts"
import { writeSnapshots } from "./JobRows.ts"
import { copyNew, updateMetadata } from "./LoadSegment.ts"
import { mergeRecords } from "./MergeSegment.ts"
import type { SetRefusal, SetSuperseded } from "./PageSets.ts"
import type { LoadMode } from "./PostgresSinkConfig.ts"
import { proveOpen } from "./ReplaceSet.ts"
import type { KeyedRecord } from "./Rows.ts"
import type { SegmentKeys } from "./SessionKeys.ts"
import { findStanding, partition, standingId } from "./StandingPages.ts"

/** A segment on its way into the tables. */
export interface SegmentWrite {
  readonly sink: string
  readonly mode: LoadMode
  /** Whether the commit may be answered before it is on disk. */
  readonly isRelaxed: boolean
  readonly segment: Segment
  readonly keys: SegmentKeys
  readonly commit: Commit
}

const carefulAttempts = 3

/**
 * Writes a segment in one transaction, and its commit with it where the ledger shares the database. The fast way copies
 * pages that are new straight into the keyed tables; whenever the server refuses that, all is rolled back and the careful way
 * merges page by page what differs and sets aside what the server does not take.
 */
export const writeSegment = Effect.fnUntraced(function* (
  database: Database["Service"],
  write: SegmentWrite
): Effect.fn.Return<WriteResult, DatabaseError | LedgerError | SetRefusal> {
  const { records, letters } = sift(write)
  const { loadCarefully, loadFast } = write.mode === "history" ? versioned : unversioned
  const attempt = (load: typeof loadFast) =>
    database.transaction(
      Effect.fnUntraced(function* (tx) {
        // A ledger elsewhere would remember a segment that this server, when it crashes, has lost.
        if (write.isRelaxed && write.commit.store === database.store) {
          yield* tx.execute("SET LOCAL synchronous_commit TO off")
        }
        if (write.mode === "replace") yield* proveOpenSets(tx, write.segment.runId, records)
        const refused = yield* load(tx, records)
        const result = yield* writeRest(tx, write, records, [...letters, ...refused])
        if (write.commit.store === database.store) {
          yield* write.commit.run(result, { store: database.store, connection: tx })
        }
        return result
      })
    )
  const result = yield* attempt(loadFast).pipe(
    Effect.catchIf(isWorthCare, () =>
      attempt(loadCarefully).pipe(Effect.retry({ times: carefulAttempts - 1, while: isWorthCare }))
    )
  )
  if (write.commit.store !== database.store) yield* write.commit.run(result)
  return result
})

/** Rows in the way and refused data; a server that is gone is not asked again. */
const isWorthCare = (error: DatabaseError | LedgerError | SetSuperseded): error is DatabaseError =>
  error instanceof DatabaseError && (error.reason._tag === "RejectedData" || error.reason._tag === "Conflict")

interface Sifted {
  readonly records: ReadonlyArray<KeyedRecord>
  readonly letters: ReadonlyArray<DeadLetter>
}

/**
 * Sets dirty records aside and gives the others their keys, in the order of the primary key: neighbours go to the same index
 * page, and two segments cannot lock each other out. Of two deliveries of a page by one job the first counts; by two jobs of
 * a set, the second, unless in history mode only the first completed.
 */
const sift = ({ keys, mode, segment }: SegmentWrite): Sifted => {
  const letters: Array<DeadLetter> = []
  const byPage = new Map<string, KeyedRecord>()
  for (const record of segment.records) {
    const dirt = findDirt(record)
    if (dirt !== undefined) {
      letters.push({ record, reason: dirt, detail: dirtDetail[dirt] })
      continue
    }
    const { isCompared, mayHold, setNo } = keys.setOf(record.jobId)
    const jobNo = keys.jobs.get(record.jobId)!
    const keyed = { record, setNo, jobNo, mayStand: mayHold, fingerprint: isCompared ? fingerprint(record) : null }
    const id = standingId(keyed)
    const other = byPage.get(id)
    const isOutdone = mode === "history" && other?.record.status === "completed" && keyed.record.status !== "completed"
    if (other?.jobNo !== keyed.jobNo && !isOutdone) byPage.set(id, keyed)
  }
  const records = [...byPage.values()].sort(
    (a, b) => a.setNo - b.setNo || (a.record.key < b.record.key ? -1 : a.record.key > b.record.key ? 1 : 0)
  )
  return { records, letters }
}

/** In replace mode: a segment of a run that a later one has superseded would leave rows that nobody removes. */
const proveOpenSets = (tx: Transaction, runId: string, records: ReadonlyArray<KeyedRecord>) =>
  Effect.forEach(new Set(records.map(({ setNo }) => setNo)), (setNo) => proveOpen(tx, setNo, runId), { discard: true })

type Load = (tx: Transaction, records: ReadonlyArray<KeyedRecord>) => Effect.Effect<void, DatabaseError>

/** A way to load what is likely to be taken as it is, and one that finds out what is not. */
const loading = (fast: Load, careful: Load) => ({
  loadFast: (tx: Transaction, records: ReadonlyArray<KeyedRecord>) =>
    Effect.as(fast(tx, records), [] as ReadonlyArray<DeadLetter>),
  loadCarefully: Effect.fnUntraced(function* (
    tx: Transaction,
    records: ReadonlyArray<KeyedRecord>
  ): Effect.fn.Return<ReadonlyArray<DeadLetter>, DatabaseError> {
    const letters: Array<DeadLetter> = []
    yield* loadOrSetAside(
      tx,
      records,
      (batch) => careful(tx, batch),
      ({ record }, refusal) =>
        letters.push({ record, reason: "refused", detail: `${refusal.detail} (SQLSTATE ${refusal.sqlState})` })
    )
    return letters
  })
})

const unversioned = loading(
  Effect.fnUntraced(function* (tx, records) {
    const { added, changed, refetched } = partition(records, yield* findStanding(tx, records))
    yield* copyNew(tx, added)
    yield* mergeRecords(tx, changed)
    yield* updateMetadata(tx, refetched)
  }),
  mergeRecords
)

const versioned = loading(loadHistory, (tx, records) =>
  loadHistory(
    tx,
    records.map((record) => ({ ...record, mayStand: true }))
  )
)

const writeRest = Effect.fnUntraced(function* (
  tx: Transaction,
  write: SegmentWrite,
  records: ReadonlyArray<KeyedRecord>,
  letters: ReadonlyArray<DeadLetter>
): Effect.fn.Return<WriteResult, DatabaseError> {
  yield* writeDeadLetters(tx, write.sink, write.segment, letters)
  // Late, because it locks rows that the next segment writes too.
  const summaries = yield* writeSnapshots(tx, write.segment.jobs, write.keys.jobs)
  const aside = new Set<PageRecord>(letters.map(({ record }) => record))
  const landed = records.filter(({ record }) => !aside.has(record))
  return {
    rows: {
      pages: landed.length,
      links: landed.reduce((sum, { record }) => sum + record.links.length, 0),
      page_metadata: landed.length,
      token_summaries: summaries
    },
    deadLetters: letters.length
  }
})
