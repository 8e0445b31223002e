import type { PageRecord } from "@sluice/core"
import type { Commit, CommitResult, DeadLetter, LedgerError, Segment, WriteResult } from "@sluice/core/sink"
import { Effect } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { writeSnapshots } from "../ledger/JobRows.ts"
import type { LoadMode } from "../PostgresSinkConfig.ts"
import type { SetRefusal } from "../pages/PageSets.ts"
import type { RowKeyedRecord } from "../pages/Rows.ts"
import { writeDeadLetters } from "./DeadLetters.ts"
import { loadRecords } from "./LoadPlan.ts"
import { countAll } from "./LoadSegment.ts"
import type { Loss } from "./Loss.ts"
import { pageId } from "./pageId.ts"
import { partitionRecords } from "./partitionRecords.ts"
import type { SegmentKeys } from "./SessionKeys.ts"

/** A segment on its way into the tables. */
export interface SegmentWrite {
  readonly pipeline: string
  readonly sink: string
  readonly mode: LoadMode
  /** Whether the commit may be answered before it is on disk. */
  readonly isRelaxed: boolean
  /** Whether a trigger may drop rows, now or before: then what is there is counted, whether it was written or unchanged. */
  readonly mayDrop: boolean
  readonly segment: Segment
  readonly keys: SegmentKeys
  readonly commit: Commit
}

/** Writes a segment in one transaction, and its commit with it where the ledger shares the database. */
export const writeSegment = Effect.fnUntraced(function* (
  database: Database,
  write: SegmentWrite
): Effect.fn.Return<WriteResult, DatabaseError | LedgerError | SetRefusal> {
  const { commit, keys, mode, segment } = write
  const sifted = partitionRecords(mode, segment.records, keys)
  const committed = yield* loadRecords<CommitResult, DatabaseError | LedgerError>(database, {
    mode,
    runId: segment.runId,
    sifted: () => Effect.succeed(sifted),
    finish: Effect.fnUntraced(function* (tx, records, deadLetters, lost) {
      const result = yield* writeRest(tx, write, records, deadLetters, lost)
      if (commit.store === database.store) {
        // Only here: a ledger elsewhere would remember a segment that this server, when it crashes, has lost.
        if (write.isRelaxed) yield* tx.execute("SET LOCAL synchronous_commit TO off")
        yield* commit.run(result, { store: database.store, connection: tx })
      }
      return result
    })
  })
  if (commit.store !== database.store) yield* commit.run(committed)
  const { deadLetters, rows } = committed
  return { rows, deadLetters }
})

const writeRest = Effect.fnUntraced(function* (
  tx: Transaction,
  write: SegmentWrite,
  records: ReadonlyArray<RowKeyedRecord>,
  deadLetters: ReadonlyArray<DeadLetter>,
  lost: Loss
): Effect.fn.Return<CommitResult, DatabaseError> {
  yield* writeDeadLetters(tx, write, write.segment, deadLetters)
  // Late, because it locks rows that the next segment writes too.
  yield* writeSnapshots(tx, write.segment.jobs, write.keys.jobs)
  const aside = new Set<PageRecord>(deadLetters.map(({ record }) => record))
  const loaded = records.filter(({ record }) => !aside.has(record))
  const counted = {
    pages: loaded.length - lost.pages.length,
    links: loaded.reduce((sum, { record }) => sum + record.links.length, 0) - lost.links,
    page_metadata: loaded.length - lost.metadata
  }
  return {
    rows: write.mayDrop ? yield* countAll(tx, loaded) : counted,
    deadLetters: deadLetters.length,
    // What a trigger has dropped is in no table either: it counts towards no expectation.
    quarantined: [...deadLetters.map(({ record }) => record), ...droppedOf(loaded, lost)]
  }
})

const droppedOf = (loaded: ReadonlyArray<RowKeyedRecord>, { pages }: Loss): ReadonlyArray<PageRecord> => {
  if (pages.length === 0) return []
  const dropped = new Set(pages)
  return loaded.filter((keyed) => dropped.has(pageId(keyed))).map(({ record }) => record)
}
