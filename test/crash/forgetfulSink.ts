import type { Sink } from "@sluice/core"
import { SinkError, SinkUnreachable } from "@sluice/core/sink"
import { Effect } from "effect"

/**
 * A sink whose store commits and then goes away before it can say so, at every nth segment. Its connection is as if it had
 * broken between the commit and the answer, an instant too short to be met by breaking one.
 */
export const forgetfulSink = (sink: Sink, every: number): Sink => {
  let written = 0
  const lost = new SinkError({
    sink: sink.name,
    operation: "write",
    isRetryable: true,
    reason: new SinkUnreachable({ cause: "the answer to the commit was lost" })
  })
  return {
    ...sink,
    connect: Effect.map(sink.connect, (connection) => ({
      ...connection,
      begin: (run) =>
        Effect.map(connection.begin(run), (session) => ({
          ...session,
          write: (segment, commit) =>
            Effect.filterOrFail(
              session.write(segment, commit),
              () => ++written % every !== 0,
              () => lost
            )
        }))
    }))
  }
}
