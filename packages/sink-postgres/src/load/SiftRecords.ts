import { type DeadLetter, deadLetterOf, type PageRecord } from "@sluice/core"
import type { LoadMode } from "../PostgresSinkConfig.ts"
import { fingerprint } from "../pages/Fingerprint.ts"
import type { KeyedRecord } from "../pages/Rows.ts"
import type { SegmentKeys } from "./SessionKeys.ts"
import { standingId } from "./standingId.ts"

/** Records that a table may take, with their keys, and those that none does. */
export interface Sifted {
  readonly records: ReadonlyArray<KeyedRecord>
  readonly letters: ReadonlyArray<DeadLetter>
}

/**
 * Sets aside what the contract refused and what is dirty, and gives the others their keys, in the order of the primary key:
 * neighbours go to the same index page, and two segments cannot lock each other out. Of two deliveries of a page by one job
 * the first counts; by two jobs of a set, the second, unless in history mode only the first completed.
 */
export const siftRecords = (mode: LoadMode, given: Iterable<PageRecord>, keys: SegmentKeys): Sifted => {
  const letters: Array<DeadLetter> = []
  const byPage = new Map<string, KeyedRecord>()
  for (const record of given) {
    const letter = deadLetterOf(record)
    if (letter !== undefined) {
      letters.push(letter)
      continue
    }
    const { mayHold, setNo } = keys.setOf(record.jobId)
    const jobNo = keys.jobs.get(record.jobId)!
    const keyed = { record, setNo, jobNo, mayStand: mayHold, fingerprint: fingerprint(record) }
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
