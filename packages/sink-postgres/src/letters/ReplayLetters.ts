import { type DeadLetter, type PageRecord, rawJson } from "@sluice/core"
import { Effect, Stream } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { landRecords } from "../load/LandRecords.ts"
import type { Loss } from "../load/Loss.ts"
import { makeSessionKeys, type SegmentKeys } from "../load/SessionKeys.ts"
import { siftRecords } from "../load/SiftRecords.ts"
import { standingId } from "../load/standingId.ts"
import type { LoadMode } from "../PostgresSinkConfig.ts"
import type { KeyedRecord } from "../pages/Rows.ts"
import { type LetterBatch, letterBatches } from "./LetterBatches.ts"
import type { LetterFilter } from "./LetterFilter.ts"
import { decodeLetterRows, type LetterRow, letterRowColumns, recordOfLetter } from "./LetterRecord.ts"
import { cameToNothing, findOutdone, modeOf, wasFollowed } from "./LetterSets.ts"
import { mendRecord } from "./mendRecord.ts"

/** How letters are loaded again. */
export interface ReplayOptions {
  /** Replaces what Postgres cannot store: in texts by U+FFFD, numbers out of range by null. */
  readonly replace?: boolean
}

/** What became of letters. */
export interface Replay {
  /** Those whose records stand now. */
  readonly landed: number
  /** Those that are settled without a write: a later delivery of their page stands. */
  readonly outdone: number
  /** How many stay, and why, by the sentence that says so. */
  readonly refused: ReadonlyMap<string, number>
}

/** Sentences told apart; what comes beyond is counted together. */
const mostSentences = 20

/**
 * Loads letters again. A letter is marked in the transaction that writes its record, and locked in it first: it lands once,
 * however often this is done, by however many at once, and wherever one of them dies. One that is refused again stays, with
 * its new reason.
 *
 * It goes into the set its run wrote. `append`: its job's. `merge`: its pipeline's, unless a later delivery of the page stands,
 * which settles it. `replace`: its run's, while that is the one readers see or may still become it. `history`: as the current
 * version, as long as no later run has been loaded.
 */
export const replayLetters = Effect.fn("DeadLetters.replay")(function* (
  database: Database["Service"],
  filter: LetterFilter,
  options: ReplayOptions = {}
): Effect.fn.Return<Replay, DatabaseError> {
  const refused = new Map<string, number>()
  const total = { landed: 0, outdone: 0 }
  yield* Stream.runForEach(letterBatches(database, filter), (batch) =>
    Effect.map(replayBatch(database, batch, options), (came) => {
      total.landed += came.landed
      total.outdone += came.outdone
      for (const [why, letters] of came.refused) {
        const sentence = refused.has(why) || refused.size < mostSentences ? why : "for other reasons"
        refused.set(sentence, (refused.get(sentence) ?? 0) + letters)
      }
    })
  )
  return { ...total, refused }
})

const replayBatch = Effect.fnUntraced(function* (
  database: Database["Service"],
  batch: LetterBatch,
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
  let asked: Asked = emptyHanded
  return yield* landRecords<Replay, DatabaseError>(database, {
    mode,
    runId,
    sifted: Effect.fnUntraced(function* (tx) {
      asked = yield* askFor(tx, batch, mode, keys, options)
      return siftRecords(mode, asked.records.keys(), keys)
    }),
    finish: (tx, keyed, letters, lost) => settle(tx, asked, letters, droppedOf(keyed, lost))
  }).pipe(
    Effect.catchTag("SetSuperseded", () =>
      Effect.succeed(
        allRefused(batch, `a later run of the pipeline has been published, and the pages of run ${runId} are not kept`)
      )
    )
  )
})

const allRefused = ({ letters }: LetterBatch, why: string): Replay => ({
  landed: 0,
  outdone: 0,
  refused: new Map([[why, letters.length]])
})

/** The letters of a batch as they are found under the lock. */
interface Asked {
  /** What is to be loaded, with the letter it comes from. */
  readonly records: ReadonlyMap<PageRecord, LetterRow>
  readonly outdone: ReadonlyArray<LetterRow>
  /** How many cannot be loaded as things stand, and why; their letters stay as they are. */
  readonly held: ReadonlyMap<string, number>
}

const emptyHanded: Asked = { records: new Map(), outdone: [], held: new Map() }

const askFor = Effect.fnUntraced(function* (
  tx: Transaction,
  batch: LetterBatch,
  mode: LoadMode,
  keys: SegmentKeys,
  { replace = false }: ReplayOptions
): Effect.fn.Return<Asked, DatabaseError> {
  const letters = yield* decodeLetterRows(
    yield* tx.query(
      `SELECT ${letterRowColumns} FROM dead_letters d LEFT JOIN jobs j USING (job_id)
       WHERE letter_no = ANY ($1::bigint[]) AND replayed_at IS NULL ORDER BY letter_no FOR UPDATE OF d`,
      [`{${batch.letters.join(",")}}`]
    )
  )
  if (mode === "history" && (yield* wasFollowed(tx, batch))) {
    return { ...emptyHanded, held: new Map([[followedSentence, letters.length]]) }
  }
  if (mode === "replace" && (yield* cameToNothing(tx, batch))) {
    return { ...emptyHanded, held: new Map([[unpublishedSentence, letters.length]]) }
  }
  const records = new Map<PageRecord, LetterRow>()
  let unreadable = 0
  for (const letter of letters) {
    const record = recordOfLetter(letter)
    if (record === undefined) unreadable++
    else records.set(replace && record.refusal === null ? mendRecord(record) : record, letter)
  }
  const held = new Map(unreadable === 0 ? [] : [["what they hold is no record this build can read", unreadable]])
  if (mode !== "merge") return { records, outdone: [], held }
  const keyed = siftRecords(mode, records.keys(), keys).records
  const later = yield* findOutdone(tx, keyed)
  const outdone = keyed.filter((each) => later.has(standingId(each))).map(({ record }) => record)
  const settled = outdone.map((record) => records.get(record)!)
  for (const record of outdone) records.delete(record)
  return { records, outdone: settled, held }
})

const followedSentence =
  "a later run has been loaded since: what it saw is newer, and a version cannot be put in before another"

const droppedSentence = "a trigger of the table dropped the row"

/** The records whose pages the server has dropped. */
const droppedOf = (keyed: ReadonlyArray<KeyedRecord>, { pages }: Loss): ReadonlySet<PageRecord> => {
  if (pages.length === 0) return new Set()
  const lost = new Set(pages)
  return new Set(keyed.filter((each) => lost.has(standingId(each))).map(({ record }) => record))
}

const unpublishedSentence = "their run has ended without being published, and readers will never see its pages"

/** Marks the letters whose records stand, and keeps the new reasons of the others. */
const settle = Effect.fnUntraced(function* (
  tx: Transaction,
  { held, outdone, records }: Asked,
  letters: ReadonlyArray<DeadLetter>,
  dropped: ReadonlySet<PageRecord>
): Effect.fn.Return<Replay, DatabaseError> {
  const open = new Map(records)
  const refused = new Map(held)
  if (dropped.size > 0) refused.set(droppedSentence, dropped.size)
  for (const record of dropped) open.delete(record)
  const rows = letters.map(({ detail, reason, record }) => {
    const letter = open.get(record)!
    open.delete(record)
    const sentence = `${reason}: ${detail}`
    refused.set(sentence, (refused.get(sentence) ?? 0) + 1)
    // What the contract takes by now is kept as a record from here on.
    const isRecord = letter.reason === "contract" && reason !== "contract"
    return { letter_no: letter.letter_no, reason, detail, raw: isRecord ? rawJson(recordOfLetter(letter)!) : null }
  })
  if (rows.length > 0) {
    yield* tx.query(
      `UPDATE dead_letters d SET reason = r.reason, detail = r.detail, raw = coalesce(r.raw, d.raw)
       FROM json_to_recordset($1::json) AS r (letter_no bigint, reason text, detail text, raw text)
       WHERE d.letter_no = r.letter_no AND (d.reason, d.detail) IS DISTINCT FROM (r.reason, r.detail)`,
      [JSON.stringify(rows)]
    )
  }
  const settled = [...open.values(), ...outdone].map(({ letter_no: no }) => no)
  if (settled.length > 0) {
    yield* tx.query("UPDATE dead_letters SET replayed_at = now() WHERE letter_no = ANY ($1::bigint[])", [
      `{${settled.join(",")}}`
    ])
  }
  return { landed: open.size, outdone: outdone.length, refused }
})
