import { Effect } from "effect"
import type { Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"

/** Pages whose rows go in one transaction. */
export const pagesAtOnce = 2000
/** The least key a page can have. */
export const leastKey = "-9223372036854775808"

/** A stretch of a set's pages, by their keys, both ends included. */
export interface PageBatch {
  readonly upTo: string
  readonly isLast: boolean
}

/** The next pages of a set from a key on. */
export const nextBatch = Effect.fnUntraced(function* (
  tx: Transaction,
  setNo: number,
  from: string
): Effect.fn.Return<PageBatch, DatabaseError> {
  const [batch] = yield* tx.query(
    `SELECT count(*)::int AS pages, max(page_key)::text AS up_to FROM (
       SELECT page_key FROM pages WHERE set_no = $1 AND page_key >= $2::bigint ORDER BY page_key LIMIT ${pagesAtOnce}) AS b`,
    [setNo, from]
  )
  return { upTo: String(batch?.up_to ?? from), isLast: Number(batch?.pages) < pagesAtOnce }
})

/** The end of a statement that removes pages with all that came with them; `former` names their keys, and comes before. */
export const removeFormer = (former: string): string => {
  const same = `USING ${former} f WHERE t.set_no = f.set_no AND t.page_key = f.page_key`
  return `without_links AS (DELETE FROM links t ${same}),
without_metadata AS (DELETE FROM page_metadata t ${same})
DELETE FROM pages t ${same}`
}
