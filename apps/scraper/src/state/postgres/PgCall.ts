import { Effect, Predicate, Schema } from "effect"
import pg from "pg"

/** A statement that failed, or a connection. It says no more of the cause than its code: causes may hold the URL. */
export class PgFailure extends Schema.TaggedError<PgFailure>()("PgFailure", {
  operation: Schema.String,
  code: Schema.String,
  isRetryable: Schema.Boolean
}) {}

/** Connections that are gone or refused for now, and transactions that got in each other's way. */
const transient = /^(08|57P|53|40)/

const failureOf = (operation: string) => (cause: unknown) => {
  const code = Predicate.hasProperty(cause, "code") ? String(cause.code) : "connection lost"
  return new PgFailure({ operation, code, isRetryable: !(cause instanceof pg.DatabaseError) || transient.test(code) })
}

/** Calls the driver. */
export const call = <A>(operation: string, run: () => Promise<A>): Effect.Effect<A, PgFailure> =>
  Effect.tryPromise({ try: run, catch: failureOf(operation) })
