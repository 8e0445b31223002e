import { Schema } from "effect"
import type { PublishGuard } from "../ledger/Receipt.ts"
import { ExpectationFailed } from "./Expectations.ts"

/** A sink made dead letters of more of the run's records than `quarantine` allows. */
export class QuarantineExceeded extends Schema.TaggedError<QuarantineExceeded>()("QuarantineExceeded", {
  sink: Schema.String,
  deadLetters: Schema.Int,
  records: Schema.Int,
  maxShare: Schema.Finite
}) {
  override get message(): string {
    const { deadLetters, maxShare, records, sink } = this
    const what = deadLetters === records ? `all ${records} records` : `${deadLetters} of ${records} records`
    return `sink "${sink}" put ${what} in quarantine, and "quarantine" allows a share of ${maxShare}: see "sluice dlq list"`
  }
}

/** Readers would be left with fewer than half of the pages they have. */
export class ReadersWouldLose extends Schema.TaggedError<ReadersWouldLose>()("ReadersWouldLose", {
  sink: Schema.String,
  /** Completed pages they have, and would have. */
  before: Schema.Int,
  after: Schema.Int,
  /** The limit the crawl reached: what it found may be fewer pages for that alone. */
  reachedLimit: Schema.NullOr(Schema.Int)
}) {
  override get message(): string {
    const { after, before, reachedLimit, sink } = this
    const limit =
      reachedLimit === null ? "" : ` (the crawl reached its limit of ${reachedLimit}: a lower limit leaves fewer pages)`
    return `publishing this run would leave readers of sink "${sink}" with ${after} of the ${before} pages they have, fewer than half${limit}; where that is meant, set "allow_shrink: true"`
  }
}

/** No completed page came with content, neither Markdown nor HTML. */
export class NoContent extends Schema.TaggedError<NoContent>()("NoContent", {
  sink: Schema.String,
  completed: Schema.Int
}) {
  override get message(): string {
    return `none of the ${this.completed} completed pages of sink "${this.sink}" came with content`
  }
}

/** Why a run that was loaded whole is not published. It has ended: only `sluice publish` shows it to readers. */
export type PublishBlocked = ExpectationFailed | NoContent | QuarantineExceeded | ReadersWouldLose

/** Whether a failure is that a run is not to be published. */
export const blocksPublish = (failure: unknown): failure is PublishBlocked =>
  failure instanceof ExpectationFailed ||
  failure instanceof NoContent ||
  failure instanceof QuarantineExceeded ||
  failure instanceof ReadersWouldLose

/** What kept a run from being published, by its name in receipts. */
export const guardOf = (blocked: PublishBlocked): PublishGuard => {
  switch (blocked._tag) {
    case "ExpectationFailed":
      return "expect"
    case "NoContent":
      return "content"
    case "QuarantineExceeded":
      return "quarantine"
    case "ReadersWouldLose":
      return "shrink"
  }
}
