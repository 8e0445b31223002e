import type { Ledger, Sink } from "@sluice/core"
import type { Publication, SinkSession } from "@sluice/core/sink"
import { Effect } from "effect"
import type { ObjectStore } from "../../../packages/sink-s3/src/ObjectStore.ts"
import type { Executioner } from "../Executioner.ts"
import type { UnpublishedPoint } from "./Order.ts"

type Fate = Pick<Executioner<UnpublishedPoint>, "around">

/** The ledger with points around the end of a run, and around the record of its publication. */
export const perilousLedger = (ledger: Ledger, { around }: Fate): Ledger => ({
  ...ledger,
  end: (run, receipt) => around("before end", ledger.end(run, receipt), "after end"),
  published: (run, at) => around("before record", ledger.published(run, at), "after record")
})

/** The sink with points around each step of publishing. */
export const perilousSink = (sink: Sink, fate: Fate): Sink => ({
  ...sink,
  connect: Effect.map(sink.connect, (connection) => ({
    ...connection,
    ledger: connection.ledger === undefined ? undefined : perilousLedger(connection.ledger, fate),
    begin: (run) => Effect.map(connection.begin(run), (session) => perilousSession(session, fate))
  }))
})

const perilousSession = ({ admitPublish, previewPublish, ...session }: SinkSession, { around }: Fate): SinkSession => ({
  ...session,
  publish: around<void, SinkFailure, Publication>("before publish", session.publish, "after publish"),
  ...(admitPublish === undefined ? {} : { admitPublish: around("before admission", admitPublish, "after admission") }),
  ...(previewPublish === undefined ? {} : { previewPublish: around("before preview", previewPublish, "after preview") })
})

type SinkFailure = Effect.Error<SinkSession["publish"]>

/** The store of a lake with points around each move of its pointer. */
export const perilousPointer = (store: ObjectStore, { around }: Fate): ObjectStore => ({
  ...store,
  movePointer: (key, before, bytes) => {
    const work = store.movePointer(key, before, bytes)
    return before === undefined ? work : around("in publish, before pointer", work, "in publish, after pointer")
  }
})
