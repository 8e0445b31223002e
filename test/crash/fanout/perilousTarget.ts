import type { Ledger, Sink } from "@sluice/core"
import { SinkError, SinkFailed } from "@sluice/core/sink"
import { Effect } from "effect"
import type { Executioner } from "../Executioner.ts"
import type { FanoutPoint, SinkName } from "./points.ts"

type Around = Pick<Executioner<FanoutPoint>, "around">

/** A sink with points around its commits, what it publishes, and the end of a run in its ledger. */
export const perilousTarget = (sink: Sink, name: SinkName, { around }: Around): Sink => ({
  ...sink,
  connect: Effect.map(sink.connect, (connection) => ({
    ...connection,
    ledger: connection.ledger === undefined ? undefined : perilousLedger(connection.ledger, { around }),
    begin: (run) =>
      Effect.map(connection.begin(run), (session) => ({
        ...session,
        publish: around(`before publish of ${name}`, session.publish, `after publish of ${name}`),
        write: (segment, commit) =>
          session.write(segment, {
            store: commit.store,
            run: (result, within) =>
              around(`before commit of ${name}`, commit.run(result, within), `after commit of ${name}`)
          })
      }))
  }))
})

const perilousLedger = (ledger: Ledger, { around }: Around): Ledger => ({
  ...ledger,
  restore: (run, lease, forgotten) => around("before restore", ledger.restore(run, lease, forgotten), "after restore"),
  end: (run, receipt) => around("before end", ledger.end(run, receipt), "after end")
})

/** A sink that takes nothing for as long as its process lives. */
export const downTarget = (sink: Sink): Sink => ({
  ...sink,
  connect: Effect.map(sink.connect, (connection) => ({
    ...connection,
    begin: (run) =>
      Effect.map(connection.begin(run), (session) => ({
        ...session,
        write: () =>
          Effect.fail(
            new SinkError({
              sink: sink.name,
              operation: "write",
              isRetryable: false,
              reason: new SinkFailed({ detail: "it is down", cause: null })
            })
          )
      }))
  }))
})
