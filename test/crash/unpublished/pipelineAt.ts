import { type Ledger, Pipeline, type Source } from "@sluice/core"
import { Postgres, PostgresLedger } from "@sluice/sink-postgres"
import { Effect, Redacted, type Scope } from "effect"
import { withDirectoryDefaults } from "../../../packages/sink-s3/src/DirectorySinkConfig.ts"
import { directoryStore } from "../../../packages/sink-s3/src/DirectoryStore.ts"
import { behaviourOf } from "../../../packages/sink-s3/src/LakeOptions.ts"
import { lakeConnection } from "../../../packages/sink-s3/src/LakeSession.ts"
import type { Executioner } from "../Executioner.ts"
import type { Place, UnpublishedPoint } from "./Order.ts"
import { perilousLedger, perilousPointer, perilousSink } from "./perilous.ts"

/** A pipeline that loads into a place in mode replace, and its ledger where the place has none. A process dies at the points of its fate. */
export const pipelineAt = Effect.fnUntraced(function* (
  { name, place, source }: { readonly name: string; readonly place: Place; readonly source: Source },
  fate: Pick<Executioner<UnpublishedPoint>, "around">
): Effect.fn.Return<{ readonly pipeline: Pipeline; readonly ledger?: Ledger }, never, Scope.Scope> {
  if (!("lake" in place)) {
    const at = "url" in place ? { url: Redacted.make(place.url) } : place
    const sink = perilousSink(Postgres.sink({ ...at, mode: "replace" }), fate)
    return { pipeline: Pipeline.make({ name, source, sinks: [sink] }) }
  }
  const options = withDirectoryDefaults({ path: place.lake, mode: "replace", name: "lake" })
  const sink = {
    kind: "lake",
    name: "lake",
    behaviour: behaviourOf(options),
    connect: Effect.sync(() => lakeConnection(perilousPointer(directoryStore(options.path), fate), options))
  }
  const database = yield* Effect.orDie(Postgres.open({ url: place.ledger }))
  yield* Effect.orDie(Postgres.migrate(database))
  const ledger = perilousLedger(PostgresLedger.make(database), fate)
  return { pipeline: Pipeline.make({ name, source, sinks: [perilousSink(sink, fate)] }), ledger }
})

/** How a run is paced and resumed. */
export const pace = {
  reader: { pollMin: "1 millis", pollMax: "2 millis" },
  segmentRecords: 10,
  segmentDelayMs: 5,
  lease: "100 millis"
} as const
