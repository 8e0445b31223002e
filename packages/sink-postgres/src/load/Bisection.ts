import { Effect, Result } from "effect"
import type { Transaction } from "../database/Database.ts"
import { DatabaseError, inFull, isKeyCollision, type RejectedData } from "../database/DatabaseError.ts"

/**
 * Loads what can be loaded and quarantines the rest: where the server refuses data, the batch is halved until what it refuses
 * is alone. Each try is a savepoint of the same transaction, so one refusal costs about two loads a halving. Answers what
 * the loads that passed have answered.
 *
 * A statement that is refused without any row is refused for its table's sake, not for a row's: that fails the whole.
 */
export const loadOrQuarantine = Effect.fnUntraced(function* <A, B, E>(
  tx: Transaction,
  items: ReadonlyArray<A>,
  load: (items: ReadonlyArray<A>) => Effect.Effect<B, DatabaseError | E>,
  quarantine: (item: A, refusal: RejectedData) => void
): Effect.fn.Return<ReadonlyArray<B>, DatabaseError | E> {
  const open: Array<ReadonlyArray<A>> = [items]
  const loaded: Array<B> = []
  let isRowwise = false
  while (open.length > 0) {
    const batch = open.pop()!
    yield* tx.execute("SAVEPOINT sluice_batch")
    const tried = yield* Effect.result(load(batch))
    if (Result.isSuccess(tried)) {
      loaded.push(tried.success)
      yield* tx.execute("RELEASE SAVEPOINT sluice_batch")
      continue
    }
    const refusal = tried.failure
    if (!isRowRejection(refusal)) return yield* Effect.fail(refusal)
    yield* tx.execute("ROLLBACK TO SAVEPOINT sluice_batch; RELEASE SAVEPOINT sluice_batch")
    if (!isRowwise) {
      yield* load([]).pipe(Effect.catchIf(isRowRejection, (error) => Effect.fail(inFull(error))))
      isRowwise = true
    }
    const half = batch.length >> 1
    if (half === 0) quarantine(batch[0]!, refusal.reason)
    else open.push(batch.slice(half), batch.slice(0, half))
  }
  return loaded
})

/** The server's refusal of rows. */
export interface RowRejection extends DatabaseError {
  readonly reason: RejectedData
}

/** Whether the server refused rows. A row of ours in the way is another writer's doing, not the data's: that is tried again as a whole. */
export const isRowRejection = (error: unknown): error is RowRejection =>
  error instanceof DatabaseError && error.reason._tag === "RejectedData" && !isKeyCollision(error)
