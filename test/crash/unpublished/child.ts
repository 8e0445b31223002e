import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Pipeline, Scraper, Source } from "@sluice/core"
import { Config, Console, Effect, Layer, Redacted, Schema } from "effect"
import { Executioner } from "../Executioner.ts"
import { Order, type UnpublishedPoint } from "./Order.ts"
import { pace, pipelineAt } from "./pipelineAt.ts"

/** Carries a run out, or publishes one that ended unpublished, to the end or to its death. */
const main = Effect.gen(function* () {
  const order = yield* Config.schema(Schema.fromJsonString(Order), "ORDER")
  const { api, place, pipeline: name, point, publish } = order
  const source = yield* Schema.decodeEffect(Source)(order.source)
  const fate = new Executioner<UnpublishedPoint>(point, 1)
  const { ledger, pipeline } = yield* pipelineAt({ name, place, source }, fate)
  const its = ledger === undefined ? {} : { ledger }
  if (publish !== undefined) {
    const { result } = yield* Pipeline.publish(pipeline, { runId: publish, ...its })
    return yield* Console.log(result)
  }
  const client = Scraper.layer({ baseUrl: api!.url, apiKey: Redacted.make(api!.key) }).pipe(
    Layer.provide(NodeHttpClient.layerUndici)
  )
  const { receipt } = yield* Pipeline.execute(pipeline, { ...pace, ...its }).pipe(Effect.provide(client))
  yield* Console.log(JSON.stringify(receipt))
}).pipe(Effect.scoped)

if (import.meta.main) NodeRuntime.runMain(main)
