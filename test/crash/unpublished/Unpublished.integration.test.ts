import { assert, describe, it } from "@effect/vitest"
import { Pipeline, type Receipt, Scraper, Source } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { crawlHistory, createDatabase, dailySample, makeSite, Simulator } from "@sluice/testkit"
import { Config, Effect, Layer, Redacted, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { temporaryDirectory } from "../../../packages/sink-postgres/test/databases.ts"
import { folder } from "../../../packages/sink-s3/test/folder.ts"
import { filesOf, readLake } from "../../../packages/sink-s3/test/readLake.ts"
import { bundles } from "../../setup/bundles.ts"
import { Executioner } from "../Executioner.ts"
import { live } from "../Life.ts"
import { type Order, type Place, pointsOfEnding, type UnpublishedPoint, unpublishedPoints } from "./Order.ts"
import { pace, pipelineAt } from "./pipelineAt.ts"

const source: typeof Source.Encoded = { crawl: { url: "https://site.test/", limit: 500 } }
const nobody = new Executioner<UnpublishedPoint>(undefined, 1)
const many = 30
const few = 8

/** The pages a reader of the place sees. */
const shownIn = (place: Place, name: string): Effect.Effect<number> => {
  if ("lake" in place) {
    return Effect.promise(async () => (await readLake(filesOf(place.lake), name)).rows("pages").length)
  }
  return Effect.gen(function* () {
    const database = yield* Postgres.open(place)
    const sql = "SELECT count(*)::int AS pages FROM current_pages WHERE pipeline = $1"
    const [row] = yield* database.query(sql, [name])
    return Number(row?.pages)
  }).pipe(Effect.scoped, Effect.orDie)
}

/** Kills a process as it ends a run unpublished or publishes it, and lets others do what is left. Answers what was wrong. */
const killed = Effect.fnUntraced(function* (place: Place, point: UnpublishedPoint, nth: number) {
  const name = `case-${nth}`
  const decoded = yield* Effect.orDie(Schema.decodeEffect(Source)(source))
  const opened = pipelineAt({ name, place, source: decoded }, nobody)
  const simulate = (pages: number) => {
    const site = makeSite({ pages, seed: 3 })
    return Simulator.make({ seed: nth * 100 + pages, site, crawl: () => crawlHistory(site, { perPoll: 50 }) })
  }
  const runWith = (simulator: Simulator) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { ledger, pipeline } = yield* opened
        const client = Layer.provide(Scraper.layer(simulator), FetchHttpClient.layer)
        const its = ledger === undefined ? {} : { ledger }
        return (yield* Effect.provide(Pipeline.execute(pipeline, { ...pace, ...its }), client)).receipt
      })
    )
  const publish = (runId: string) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { ledger, pipeline } = yield* opened
        return yield* Pipeline.publish(pipeline, { runId, ...(ledger === undefined ? {} : { ledger }) })
      })
    )
  const dies = (order: Pick<Order, "publish" | "api">) =>
    live(
      { ORDER: JSON.stringify({ pipeline: name, source, place, point, ...order }) },
      "60 seconds",
      bundles.unpublishedChild
    )

  assert.strictEqual((yield* runWith(yield* simulate(many))).status, "completed")
  const simulator = yield* simulate(few)
  const api = { url: simulator.baseUrl, key: Redacted.value(simulator.apiKey) }
  const isEnding = pointsOfEnding.some((each) => each === point)
  let receipt: Receipt
  if (isEnding) {
    const { signal, stderr } = yield* dies({ api })
    assert.strictEqual(signal, "SIGKILL", `${point}: ${stderr}`)
    assert.strictEqual(yield* shownIn(place, name), many, point)
    // After the end was written there is nothing to resume: what follows is the next run.
    receipt = yield* runWith(simulator)
    assert.strictEqual(simulator.charges.received("POST"), point === "after end" ? 2 : 1, point)
  } else receipt = yield* runWith(simulator)
  assert.deepInclude(receipt.unpublished, { guard: "shrink" }, `${point}: ${receipt.reason}`)
  assert.strictEqual(yield* shownIn(place, name), many, point)
  if (!isEnding) {
    const { signal, stderr, stdout } = yield* dies({ publish: receipt.run_id })
    // Only a lake has a pointer.
    const isMet = "lake" in place || !point.includes("pointer")
    assert.strictEqual(signal, isMet ? "SIGKILL" : null, `${point}: ${stdout}${stderr}`)
    assert.include([many, few], yield* shownIn(place, name), point)
  }
  const { result } = yield* publish(receipt.run_id)
  const isRecorded = point === "after record" || (point.includes("pointer") && !("lake" in place))
  assert.strictEqual(result, isRecorded ? "already" : "published", point)
  assert.strictEqual(yield* shownIn(place, name), few, point)
  assert.strictEqual((yield* publish(receipt.run_id)).result, "already", point)
  // What was published is what the next run is compared with.
  assert.strictEqual((yield* runWith(yield* simulate(few - 3))).status, "completed", point)
  assert.strictEqual(yield* shownIn(place, name), few - 3, point)
}, Effect.scoped)

describe("a process killed as it ends a run unpublished, or as it publishes it", { concurrent: true }, () => {
  const database = Effect.flatMap(Config.String("TEST_DATABASE_URL"), (url) => createDatabase({ url, label: "" }))
  for (const [at, where] of (["Postgres", "PGlite", "a directory lake"] as const).entries()) {
    it.live(
      `leaves readers one run or the other in ${where}, and no other way on than the same command`,
      () =>
        Effect.gen(function* () {
          const place: Place =
            where === "PGlite"
              ? { directory: `${yield* temporaryDirectory}/postgres` }
              : where === "Postgres"
                ? { url: yield* database }
                : { lake: yield* folder, ledger: yield* database }
          // Others in each place; an embedded database takes most of a case to open.
          const points = dailySample(
            [...unpublishedPoints.slice(at), ...unpublishedPoints.slice(0, at)],
            where === "Postgres" ? 3 : 6
          )
          for (const [nth, point] of points.entries()) yield* killed(place, point, nth + 1)
        }),
      600_000
    )
  }
})
