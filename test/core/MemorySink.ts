import type { PageRecord, Sink } from "@sluice/core"
import { deadLetterOf, type RunHandle, type Segment, SinkError, SinkFailed, type WriteResult } from "@sluice/core/sink"
import { Effect } from "effect"

/** What a memory sink holds and what was done to it. */
export interface MemorySink {
  readonly sink: Sink
  /** Records by job and key. */
  readonly pages: Map<string, PageRecord>
  /** Records that were set aside. */
  readonly letters: Array<PageRecord>
  /** Every segment written, retries included, in order. */
  readonly written: Array<Segment>
  readonly runs: Array<RunHandle>
  published: number
}

/** What a memory sink does besides keeping records. */
export interface MemorySinkOptions {
  readonly name?: string
  readonly concurrency?: number
  readonly behaviour?: Sink["behaviour"]
  /** Called before each write, counted from 1: fail, wait or do anything there. */
  readonly before?: (segment: Segment, nth: number) => Effect.Effect<void, SinkError>
  /** Called between the rows being durable and the commit. */
  readonly beforeCommit?: (segment: Segment, nth: number) => Effect.Effect<void, SinkError>
  readonly connect?: Effect.Effect<void, SinkError>
  /** Which records the store refuses, besides those the contract does. */
  readonly refuses?: (record: PageRecord) => boolean
}

/** A sink that keeps records in a map, by key: writing a segment twice changes nothing. */
export const memorySink = (options: MemorySinkOptions = {}): MemorySink => {
  const name = options.name ?? "memory"
  const none = () => Effect.void
  const { before = none, beforeCommit = none, refuses = () => false } = options
  const held: MemorySink = {
    pages: new Map(),
    letters: [],
    written: [],
    runs: [],
    published: 0,
    sink: {
      kind: "memory",
      name,
      behaviour: options.behaviour ?? {},
      connect: Effect.as(options.connect ?? Effect.void, {
        ledger: undefined,
        begin: (run) =>
          Effect.sync(() => {
            held.runs.push(run)
            return {
              concurrency: options.concurrency ?? 1,
              write: Effect.fnUntraced(function* (segment, commit) {
                held.written.push(segment)
                const nth = held.written.length
                yield* before(segment, nth)
                const quarantined = segment.records.filter(
                  (record) => deadLetterOf(record) !== undefined || refuses(record)
                )
                const records = segment.records.filter((record) => !quarantined.includes(record))
                for (const record of records) held.pages.set(`${record.jobId} ${record.key}`, record)
                held.letters.push(...quarantined)
                const rows = rowsOf({ ...segment, records })
                const result: WriteResult = { rows, deadLetters: quarantined.length }
                yield* beforeCommit(segment, nth)
                yield* commit.run({ ...result, quarantined })
                return result
              }),
              publish: Effect.sync(() => {
                held.published++
              })
            }
          })
      })
    }
  }
  return held
}

const rowsOf = (segment: Segment): WriteResult["rows"] => ({
  pages: segment.records.length,
  links: segment.records.reduce((sum, { links }) => sum + links.length, 0),
  page_metadata: segment.records.length
})

/** A failure of a memory sink. */
export const sinkFailure = (isRetryable: boolean) =>
  new SinkError({
    sink: "memory",
    operation: "write",
    isRetryable,
    reason: new SinkFailed({ detail: "it broke off", cause: null })
  })
