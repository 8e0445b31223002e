import { Effect } from "effect"
import type { Transaction } from "../database/Database.ts"
import { DatabaseError, isKeyCollision, type RejectedData } from "../database/DatabaseError.ts"

/**
 * Loads what can be loaded and sets the rest aside: where the server refuses data, the batch is halved until what it refuses
 * stands alone. Each try is a savepoint of the same transaction, so one refusal costs about two loads a halving.
 */
export const loadOrSetAside = Effect.fnUntraced(function* <A, E>(
  tx: Transaction,
  items: ReadonlyArray<A>,
  load: (items: ReadonlyArray<A>) => Effect.Effect<void, DatabaseError | E>,
  setAside: (item: A, refusal: RejectedData) => void
): Effect.fn.Return<void, DatabaseError | E> {
  const open: Array<ReadonlyArray<A>> = [items]
  while (open.length > 0) {
    const batch = open.pop()!
    yield* tx.execute("SAVEPOINT sluice_batch")
    const refusal = yield* load(batch).pipe(Effect.as(undefined), Effect.catchIf(isRefusal, Effect.succeed))
    if (refusal === undefined) {
      yield* tx.execute("RELEASE SAVEPOINT sluice_batch")
      continue
    }
    yield* tx.execute("ROLLBACK TO SAVEPOINT sluice_batch; RELEASE SAVEPOINT sluice_batch")
    const half = batch.length >> 1
    if (half === 0) setAside(batch[0]!, refusal.reason)
    else open.push(batch.slice(half), batch.slice(0, half))
  }
})

interface Refusal extends DatabaseError {
  readonly reason: RejectedData
}

/** A row of ours in the way is another writer's doing, not the data's: that is tried again as a whole. */
const isRefusal = (error: unknown): error is Refusal =>
  error instanceof DatabaseError && error.reason._tag === "RejectedData" && !isKeyCollision(error)
