import { Effect } from "effect"
import type { SinkConnection, SinkSession } from "../../sink/Sink.ts"
import type { SinkError } from "../../sink/SinkError.ts"

/**
 * A sink that has committed all of a run, for a replay that continues another one, which may have died before it could publish
 * here. A sink in which the run had been published long before may refuse to do so again, since a later run has replaced it or
 * what it was made of has been collected: then it stays as it is.
 */
export const skipIfPublished = (name: string, connection: SinkConnection): SinkConnection => {
  const settled = (error: SinkError) => Effect.logInfo(`sink "${name}" stays as it is: ${error.message}`)
  const isSettled = (error: { readonly _tag: string }): error is SinkError =>
    error._tag === "SinkError" && !(error as SinkError).isRetryable
  return {
    ...connection,
    begin: (run) =>
      connection.begin(run).pipe(
        Effect.map(
          ({ publish, publishEnded, ...session }): SinkSession => ({
            ...session,
            publish: Effect.catchIf(publish, isSettled, settled),
            ...(publishEnded === undefined ? {} : { publishEnded: Effect.catchIf(publishEnded, isSettled, settled) })
          })
        ),
        Effect.catchIf(isSettled, (error) => Effect.as(settled(error), nothingToDo(error)))
      )
  }
}

const nothingToDo = (error: SinkError): SinkSession => ({
  concurrency: 1,
  write: () => Effect.fail(error),
  publish: Effect.void
})
