import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Pipeline, Scraper, type Sink, type Vault } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Config, Console, Effect, Layer, Redacted, Schema, Stream } from "effect"
import { directoryStore } from "../../../packages/sink-s3/src/DirectoryStore.ts"
import { behaviourOf } from "../../../packages/sink-s3/src/LakeOptions.ts"
import { lakeConnection } from "../../../packages/sink-s3/src/LakeSession.ts"
import { openS3Store } from "../../../packages/sink-s3/src/openS3Store.ts"
import { toSinkError } from "../../../packages/sink-s3/src/StoreError.ts"
import { lakeVault } from "../../../packages/sink-s3/src/vault/lakeVault.ts"
import { Executioner } from "../Executioner.ts"
import { Errand } from "./Errand.ts"
import { perilousLakeStore, perilousVaultStore } from "./perilousStore.ts"
import { downTarget, perilousTarget } from "./perilousTarget.ts"
import type { FanoutPoint } from "./points.ts"

type Fate = Executioner<FanoutPoint>

/** The lake of an errand, as its sink opens it, over a store with points. */
const lakeOf = ({ lake }: Errand, fate: Fate): Sink => {
  const config = "s3" in lake ? lake.s3 : lake.directory
  const store = "s3" in lake ? openS3Store(lake.s3) : Effect.succeed(directoryStore(lake.directory.path))
  return {
    kind: "s3" in lake ? "s3" : "directory",
    name: config.name,
    behaviour: behaviourOf(config),
    connect: store.pipe(
      Effect.map((store) => lakeConnection(perilousLakeStore(store, fate), config)),
      Effect.mapError(toSinkError(config.name, "connect"))
    )
  }
}

/** Where an errand keeps what it reads, likewise. */
const vaultOf = ({ kept }: Errand, fate: Fate): Vault => {
  const name = "spool" in kept ? "spool" : "vault"
  const store =
    "s3" in kept
      ? openS3Store(kept.s3)
      : Effect.succeed(directoryStore("vault" in kept ? kept.vault.path : kept.spool.path))
  return {
    name,
    maxBytes: Number.POSITIVE_INFINITY,
    connect: store.pipe(
      Effect.map((store) =>
        lakeVault(perilousVaultStore(store, fate), name, name === "spool" ? "until landed" : "for good")
      ),
      Effect.mapError(toSinkError(name, "connect"))
    )
  }
}

/** Carries an errand out, to its end or to its death; prints the receipt of a run, or what a replay did. */
const main = Effect.gen(function* () {
  const errand = yield* Config.schema(Schema.fromJsonString(Errand), "ERRAND")
  const { api, death, down, postgres, task } = errand
  const fate: Fate = new Executioner(death?.point, death?.nth ?? 1, death?.signal)
  const sinks = [
    perilousTarget(Postgres.sink({ url: Redacted.make(postgres.url), mode: postgres.mode }), "postgres", fate),
    perilousTarget(lakeOf(errand, fate), "lake", fate)
  ].map((sink) => (sink.name === down ? downTarget(sink) : sink))
  const kept = vaultOf(errand, fate)
  const isSpool = "spool" in errand.kept
  const pipeline = Pipeline.make({
    name: errand.pipeline,
    source: errand.source,
    sinks,
    vault: isSpool ? undefined : kept
  })
  const options = { lease: errand.leaseMs, writeRetries: 1 }
  if (task === "replay") {
    return yield* Pipeline.replay(pipeline, { ...options, vault: kept }).pipe(
      Stream.runForEach(({ result, runId }) => Console.log(JSON.stringify({ runId, result }))),
      Effect.scoped
    )
  }
  const client = Scraper.layer({
    baseUrl: api.url,
    apiKey: Redacted.make(api.key),
    retryBase: "2 millis",
    requestsPerSecond: 10_000
  }).pipe(Layer.provide(NodeHttpClient.layerUndici))
  const { receipt } = yield* Pipeline.execute(pipeline, {
    ...options,
    ...(isSpool ? { spool: kept } : {}),
    reader: { pollMin: "2 millis", pollMax: "5 millis" },
    adoption: { lag: "150 millis", pause: "20 millis" },
    segmentRecords: errand.segmentRecords,
    segmentDelayMs: 20
  }).pipe(Effect.provide(client))
  yield* Console.log(JSON.stringify(receipt))
})

if (import.meta.main) NodeRuntime.runMain(main)
