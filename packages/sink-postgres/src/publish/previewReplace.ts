import { Publication, type PublishPreview, type RunHandle } from "@sluice/core/sink"
import { Effect } from "effect"
import type { Database, Queryable } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import type { PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { placeOf } from "../pages/PageSets.ts"

const currentSet = `
SELECT set_no, run_id::text, completed_pages, EXISTS (
    SELECT FROM dead_letters d WHERE d.run_id = s.run_id AND d.sink = s.sink AND d.replayed_at IS NOT NULL) AS has_replays
FROM page_sets s WHERE pipeline = $1 AND sink = $2 AND mode = 'replace' AND state = 'current'`

const ownSet = `
SELECT set_no, EXISTS (
    SELECT FROM dead_letters d WHERE d.run_id = s.run_id AND d.sink = s.sink AND d.replayed_at IS NOT NULL) AS has_replays
FROM page_sets s WHERE pipeline = $1 AND sink = $2 AND mode = 'replace' AND run_id = $3::uuid`

/**
 * What swapping a run's set in would take from readers. Both numbers are known where the run had one job and none of its dead
 * letters was replayed; else the pages of a set are counted.
 */
export const previewReplace = Effect.fnUntraced(function* (
  database: Database,
  config: PostgresSinkConfig,
  run: RunHandle
): Effect.fn.Return<PublishPreview, DatabaseError, Publication> {
  const { completed, isDistinct } = yield* Publication
  const place = placeOf({ pipeline: run.pipeline, sink: config.name })
  const [current] = yield* database.query(currentSet, place)
  if (current === undefined) return { before: 0, after: completed }
  const isKnown = current.completed_pages !== null && current.has_replays !== true
  const before = isKnown ? Number(current.completed_pages) : yield* countCompleted(database, current.set_no)
  if (current.run_id === run.runId) return { before, after: before }
  const [own] = yield* database.query(ownSet, [...place, run.runId])
  if (own === undefined) return { before, after: 0 }
  const isExact = isDistinct && own.has_replays !== true
  return { before, after: isExact ? completed : yield* countCompleted(database, own.set_no) }
})

const countCompleted = (database: Queryable, setNo: unknown) =>
  Effect.map(
    database.query("SELECT count(*)::int AS pages FROM pages WHERE set_no = $1 AND status = 'completed'", [setNo]),
    ([row]) => Number(row?.pages)
  )
