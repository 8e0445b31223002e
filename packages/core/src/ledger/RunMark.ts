import { type Effect, Schema } from "effect"

/** Why a ledger is not believed to know all that was paid for. */
export const LedgerDoubt = Schema.Struct({
  /** In a sentence without an end. */
  why: Schema.String,
  /** Whether something is known to be missing: then a job list that cannot tell halts the run. */
  is_certain: Schema.Boolean
})
export type LedgerDoubt = typeof LedgerDoubt.Type

/**
 * The last run of a pipeline that has asked for paid work, as a place outside of its ledger remembers it. A ledger that does not
 * know this run is younger than the truth.
 */
export const RunMark = Schema.Struct({
  /** Names the ledger without a secret: pipelines of one name may have several. */
  ledger: Schema.String,
  run_id: Schema.String,
  started_at: Schema.String,
  /** How many submissions of the run its ledger has at least. */
  submissions: Schema.Int,
  /** Present while the run asks the API's job list first, which its next attempt has to do as well. */
  doubt: Schema.optionalKey(LedgerDoubt)
})
export type RunMark = typeof RunMark.Type

/** The marks of a pipeline, newest first: one a ledger, and {@link mostMarks} at most. */
export const PipelineMarks = Schema.Struct({
  marks_version: Schema.Literal(1),
  pipeline: Schema.String,
  marks: Schema.Array(RunMark)
})
export type PipelineMarks = typeof PipelineMarks.Type

/** Ledgers of one pipeline that a place remembers. */
const mostMarks = 8

/** A mark could not be read or written. */
export class MarkFailed extends Schema.TaggedError<MarkFailed>()("MarkFailed", {
  place: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.place}: ${this.detail}`
  }
}

/** A place outside of the ledger that remembers how far a pipeline has come. */
export interface MarkPlace {
  /** Where it is, for people; holds no secret. */
  readonly address: string
  /** The marks of a pipeline, newest first. */
  readonly read: (pipeline: string) => Effect.Effect<ReadonlyArray<RunMark>, MarkFailed>
  /** Replaces the mark of its ledger, atomically. */
  readonly write: (pipeline: string, mark: RunMark) => Effect.Effect<void, MarkFailed>
}

/** The marks of a pipeline after another one was written. */
export const withMark = (marks: ReadonlyArray<RunMark>, mark: RunMark): ReadonlyArray<RunMark> =>
  [mark, ...marks.filter(({ ledger }) => ledger !== mark.ledger)].slice(0, mostMarks)
