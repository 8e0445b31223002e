import { Effect, Option, Schema, Stream } from "effect"
import type { Database } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { conditionOf, type DeadLetterFilter, parametersOf } from "./DeadLetterFilter.ts"

/** Letters loaded in one transaction at most, and about how many bytes of them. */
const maxDeadLetters = 200
const mostBytes = 16 * 1024 * 1024

const Candidate = Schema.Struct({
  letter_no: Schema.Int,
  run_id: Schema.String,
  pipeline: Schema.NullOr(Schema.String),
  sink: Schema.String,
  job_id: Schema.String,
  bytes: Schema.Int
})
type Candidate = typeof Candidate.Type
const decodeCandidates = Schema.decodeUnknownEffect(Schema.Array(Candidate))

/** Letters of one run and sink, few enough for one transaction. */
export interface DeadLetterBatch {
  readonly runId: string
  /** Null where an earlier build set them aside and did not say. */
  readonly pipeline: string | null
  readonly sink: string
  readonly deadLetters: ReadonlyArray<number>
  readonly jobIds: ReadonlySet<string>
}

/** The dead letters that were not replayed, in the order in which they were written. */
export const deadLetterBatches = (
  database: Database,
  filter: DeadLetterFilter
): Stream.Stream<DeadLetterBatch, DatabaseError> =>
  Stream.paginate(0, (after) =>
    Effect.gen(function* () {
      const rows = yield* database.query(
        `SELECT letter_no, run_id::text, pipeline, sink, job_id, octet_length(raw) AS bytes FROM dead_letters
         WHERE replayed_at IS NULL AND letter_no > $1 AND ${conditionOf(2)} ORDER BY letter_no LIMIT ${maxDeadLetters}`,
        [after, ...parametersOf(filter)]
      )
      const batch = cut(yield* Effect.orDie(decodeCandidates(rows)))
      const last = batch?.deadLetters.at(-1)
      return [batch === undefined ? [] : [batch], Option.fromUndefinedOr(last)] as const
    })
  )

/** What of the candidates goes into one transaction: the first ones, as long as they belong together. */
const cut = (candidates: ReadonlyArray<Candidate>): DeadLetterBatch | undefined => {
  const [first] = candidates
  if (first === undefined) return undefined
  const deadLetters: Array<number> = []
  const jobIds = new Set<string>()
  let bytes = 0
  for (const candidate of candidates) {
    const isAlike = candidate.run_id === first.run_id && candidate.sink === first.sink
    bytes += candidate.bytes
    if (!isAlike || (deadLetters.length > 0 && bytes > mostBytes)) break
    deadLetters.push(candidate.letter_no)
    jobIds.add(candidate.job_id)
  }
  return { runId: first.run_id, pipeline: first.pipeline, sink: first.sink, deadLetters, jobIds }
}
