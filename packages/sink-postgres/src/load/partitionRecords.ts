import type { PageRecord } from "@sluice/core"
import { type DeadLetter, deadLetterOf } from "@sluice/core/sink"
import type { LoadMode } from "../PostgresSinkConfig.ts"
import { fingerprint } from "../pages/Fingerprint.ts"
import type { RowKeyedRecord } from "../pages/Rows.ts"
import { pageId } from "./pageId.ts"
import type { SegmentKeys } from "./SessionKeys.ts"

/** Records that a table may take, with their keys, and those that none does. */
export interface PartitionedRecords {
  readonly records: ReadonlyArray<RowKeyedRecord>
  readonly deadLetters: ReadonlyArray<DeadLetter>
}

/**
 * Quarantines records that break the contract or cannot be stored, and gives the others their keys, in the order of the primary key:
 * neighbours go to the same index page, and two segments cannot lock each other out. Of two deliveries of a page by one job
 * the first counts; by two jobs of a set, the second, unless in history mode only the first completed.
 */
export const partitionRecords = (
  mode: LoadMode,
  given: Iterable<PageRecord>,
  keys: SegmentKeys
): PartitionedRecords => {
  const deadLetters: Array<DeadLetter> = []
  const byPage = new Map<string, RowKeyedRecord>()
  for (const record of given) {
    const deadLetter = deadLetterOf(record)
    if (deadLetter !== undefined) {
      deadLetters.push(deadLetter)
      continue
    }
    const { mayHold, setNo } = keys.setOf(record.jobId)
    const jobNo = keys.jobs.get(record.jobId)!
    const keyed = { record, setNo, jobNo, mayExist: mayHold, fingerprint: fingerprint(record) }
    const id = pageId(keyed)
    const other = byPage.get(id)
    const isSuperseded =
      mode === "history" && other?.record.status === "completed" && keyed.record.status !== "completed"
    if (other?.jobNo !== keyed.jobNo && !isSuperseded) byPage.set(id, keyed)
  }
  const records = [...byPage.values()].sort(
    (a, b) => a.setNo - b.setNo || (a.record.key < b.record.key ? -1 : a.record.key > b.record.key ? 1 : 0)
  )
  return { records, deadLetters }
}
