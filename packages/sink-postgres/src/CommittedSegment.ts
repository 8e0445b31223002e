import type { Segment, WriteResult } from "@sluice/core"
import { Effect } from "effect"
import type { Database } from "./Database.ts"
import type { DatabaseError } from "./DatabaseError.ts"

/**
 * What a segment has come to, if this process has committed it before. That is asked when a segment is written again: the
 * connection may have broken between the commit and its answer, and a summary that stands would not be counted a second time.
 */
export const findCommitted = Effect.fnUntraced(function* (
  database: Database["Service"],
  sink: string,
  segment: Segment
): Effect.fn.Return<WriteResult | undefined, DatabaseError> {
  const [row] = yield* database.query(
    `SELECT pages, links, page_metadata, token_summaries, dead_letters FROM segments
     WHERE run_id = $1 AND sink = $2 AND seq = $3 AND epoch = $4`,
    [segment.runId, sink, segment.seq, segment.epoch]
  )
  if (row === undefined) return undefined
  return {
    rows: {
      pages: Number(row.pages),
      links: Number(row.links),
      page_metadata: Number(row.page_metadata),
      token_summaries: Number(row.token_summaries)
    },
    deadLetters: Number(row.dead_letters)
  }
})
