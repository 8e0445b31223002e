import type { PageRecord } from "@sluice/core"
import { type DeadLetter, rawJson } from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { loadRecords } from "../load/LoadPlan.ts"
import type { Loss } from "../load/Loss.ts"
import { pageId } from "../load/pageId.ts"
import { partitionRecords } from "../load/partitionRecords.ts"
import { makeSessionKeys, type SegmentKeys } from "../load/SessionKeys.ts"
import type { LoadMode } from "../PostgresSinkConfig.ts"
import type { RowKeyedRecord } from "../pages/Rows.ts"
import { type DeadLetterBatch, deadLetterBatches } from "./DeadLetterBatches.ts"
import type { DeadLetterFilter } from "./DeadLetterFilter.ts"
import { type DeadLetterRow, deadLetterColumns, decodeDeadLetterRows, recordOfDeadLetter } from "./DeadLetterRow.ts"
import { cameToNothing, findSuperseded, modeOf, wasFollowed } from "./pageSetsOfBatch.ts"
import { sanitizeRecord } from "./sanitizeRecord.ts"

/** How letters are loaded again. */
export interface ReplayOptions {
  /** Replaces what Postgres cannot store: in texts by U+FFFD, numbers out of range by null. */
  readonly replace?: boolean
}

/** The result of a replay. */
export interface Replay {
  /** Dead letters whose records are loaded now. */
  readonly loaded: number
  /** Dead letters settled without a write, because a later delivery of the page exists. */
  readonly superseded: number
  /** How many stay, and why, by the sentence that says so. */
  readonly refused: ReadonlyMap<string, number>
}

/** Reasons that are counted one by one; any others are counted together. */
const mostSentences = 20

/**
 * Loads dead letters again. One transaction locks a dead letter, writes its record and marks it as replayed: each is loaded once,
 * even if several processes replay at once or one of them dies. A dead letter that is refused again is kept with its new reason.
 *
 * The record goes into the page set of its run. `append`: the set of its job. `merge`: the set of its pipeline, unless a later
 * delivery of the page exists, which settles it. `replace`: the set of its run, if readers see that set or may still see it.
 * `history`: as the current version, if no later run has been loaded.
 */
export const replayDeadLetters = Effect.fn("DeadLetters.replay")(function* (
  database: Database,
  filter: DeadLetterFilter,
  options: ReplayOptions = {}
): Effect.fn.Return<Replay, DatabaseError> {
  const refused = new Map<string, number>()
  const total = { loaded: 0, superseded: 0 }
  yield* Stream.runForEach(deadLetterBatches(database, filter), (batch) =>
    Effect.map(replayBatch(database, batch, options), (came) => {
      total.loaded += came.loaded
      total.superseded += came.superseded
      for (const [why, deadLetters] of came.refused) {
        const sentence = refused.has(why) || refused.size < mostSentences ? why : "for other reasons"
        refused.set(sentence, (refused.get(sentence) ?? 0) + deadLetters)
      }
    })
  )
  return { ...total, refused }
})

const replayBatch = Effect.fnUntraced(function* (
  database: Database,
  batch: DeadLetterBatch,
  options: ReplayOptions
): Effect.fn.Return<Replay, DatabaseError> {
  const { jobIds, pipeline, runId, sink } = batch
  const mode = yield* modeOf(database, batch)
  if (pipeline === null || mode === undefined) {
    return allRefused(batch, "it is not known which pipeline's pages they belong to")
  }
  // Before the transaction: an embedded database has one connection.
  const keys = yield* makeSessionKeys(database, { mode, name: sink }, { runId, pipeline })
    .ofJobs(jobIds)
    .pipe(Effect.catchTag("ModeChanged", Effect.die))
  let locked: ReplayBatch = emptyBatch
  return yield* loadRecords<Replay, DatabaseError>(database, {
    mode,
    runId,
    sifted: Effect.fnUntraced(function* (tx) {
      locked = yield* lockBatch(tx, batch, mode, keys, options)
      return partitionRecords(mode, locked.records.keys(), keys)
    }),
    finish: (tx, keyed, deadLetters, lost) => settle(tx, locked, deadLetters, droppedOf(keyed, lost))
  }).pipe(
    Effect.catchTag("SetSuperseded", () =>
      Effect.succeed(
        allRefused(batch, `a later run of the pipeline has been published, and the pages of run ${runId} are not kept`)
      )
    )
  )
})

const allRefused = ({ deadLetters }: DeadLetterBatch, why: string): Replay => ({
  loaded: 0,
  superseded: 0,
  refused: new Map([[why, deadLetters.length]])
})

/** The dead letters of a batch, once they are locked. */
interface ReplayBatch {
  /** Records to load, with the dead letters they come from. */
  readonly records: ReadonlyMap<PageRecord, DeadLetterRow>
  readonly superseded: ReadonlyArray<DeadLetterRow>
  /** How many cannot be loaded now, and why. Their dead letters are left unchanged. */
  readonly held: ReadonlyMap<string, number>
}

const emptyBatch: ReplayBatch = { records: new Map(), superseded: [], held: new Map() }

const lockBatch = Effect.fnUntraced(function* (
  tx: Transaction,
  batch: DeadLetterBatch,
  mode: LoadMode,
  keys: SegmentKeys,
  { replace = false }: ReplayOptions
): Effect.fn.Return<ReplayBatch, DatabaseError> {
  const deadLetters = yield* decodeDeadLetterRows(
    yield* tx.query(
      `SELECT ${deadLetterColumns} FROM dead_letters d LEFT JOIN jobs j USING (job_id)
       WHERE letter_no = ANY ($1::bigint[]) AND replayed_at IS NULL ORDER BY letter_no FOR UPDATE OF d`,
      [`{${batch.deadLetters.join(",")}}`]
    )
  )
  if (mode === "history" && (yield* wasFollowed(tx, batch))) {
    return { ...emptyBatch, held: new Map([[followedSentence, deadLetters.length]]) }
  }
  if (mode === "replace" && (yield* cameToNothing(tx, batch))) {
    return { ...emptyBatch, held: new Map([[unpublishedSentence, deadLetters.length]]) }
  }
  const records = new Map<PageRecord, DeadLetterRow>()
  let unreadable = 0
  for (const deadLetter of deadLetters) {
    const record = recordOfDeadLetter(deadLetter)
    if (record === undefined) unreadable++
    else records.set(replace && record.refusal === null ? sanitizeRecord(record) : record, deadLetter)
  }
  const held = new Map(unreadable === 0 ? [] : [["what they hold is no record this build can read", unreadable]])
  if (mode !== "merge") return { records, superseded: [], held }
  const keyed = partitionRecords(mode, records.keys(), keys).records
  const later = yield* findSuperseded(tx, keyed)
  const superseded = keyed.filter((each) => later.has(pageId(each))).map(({ record }) => record)
  const settled = superseded.map((record) => records.get(record)!)
  for (const record of superseded) records.delete(record)
  return { records, superseded: settled, held }
})

const followedSentence =
  "a later run has been loaded since: what it saw is newer, and a version cannot be put in before another"

const droppedSentence = "a trigger of the table dropped the row"

/** The records whose pages the server has dropped. */
const droppedOf = (keyed: ReadonlyArray<RowKeyedRecord>, { pages }: Loss): ReadonlySet<PageRecord> => {
  if (pages.length === 0) return new Set()
  const lost = new Set(pages)
  return new Set(keyed.filter((each) => lost.has(pageId(each))).map(({ record }) => record))
}

const unpublishedSentence = "their run has ended without being published, and readers will never see its pages"

/** Marks the letters whose records stand, and keeps the new reasons of the others. */
const settle = Effect.fnUntraced(function* (
  tx: Transaction,
  { held, superseded, records }: ReplayBatch,
  deadLetters: ReadonlyArray<DeadLetter>,
  dropped: ReadonlySet<PageRecord>
): Effect.fn.Return<Replay, DatabaseError> {
  const open = new Map(records)
  const refused = new Map(held)
  if (dropped.size > 0) refused.set(droppedSentence, dropped.size)
  for (const record of dropped) open.delete(record)
  const rows = deadLetters.map(({ detail, reason, record }) => {
    const deadLetter = open.get(record)!
    open.delete(record)
    const sentence = `${reason}: ${detail}`
    refused.set(sentence, (refused.get(sentence) ?? 0) + 1)
    // What the contract takes by now is kept as a record from here on.
    const isRecord = deadLetter.reason === "contract" && reason !== "contract"
    return {
      letter_no: deadLetter.letter_no,
      reason,
      detail,
      raw: isRecord ? rawJson(recordOfDeadLetter(deadLetter)!) : null
    }
  })
  if (rows.length > 0) {
    yield* tx.query(
      `UPDATE dead_letters d SET reason = r.reason, detail = r.detail, raw = coalesce(r.raw, d.raw)
       FROM json_to_recordset($1::json) AS r (letter_no bigint, reason text, detail text, raw text)
       WHERE d.letter_no = r.letter_no AND (d.reason, d.detail) IS DISTINCT FROM (r.reason, r.detail)`,
      [JSON.stringify(rows)]
    )
  }
  const settled = [...open.values(), ...superseded].map(({ letter_no: no }) => no)
  if (settled.length > 0) {
    yield* tx.query("UPDATE dead_letters SET replayed_at = now() WHERE letter_no = ANY ($1::bigint[])", [
      `{${settled.join(",")}}`
    ])
  }
  return { loaded: open.size, superseded: superseded.length, refused }
})
