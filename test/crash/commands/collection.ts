import { cpSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { Postgres } from "@sluice/sink-postgres"
import type { Garbage } from "@sluice/sink-s3"
import { crawlHistory, createDatabase, makeSite, type PostgresServer, Simulator } from "@sluice/testkit"
import type { S3Server } from "@sluice/testkit/s3"
import { Effect, Redacted, type Scope, Stream } from "effect"
import { directory, type Finished } from "../../../apps/runner/test/Cli.ts"
import { directoryStore } from "../../../packages/sink-s3/src/DirectoryStore.ts"
import { runOf } from "../../../packages/sink-s3/src/Layout.ts"
import { type ObjectStore, objectOf } from "../../../packages/sink-s3/src/ObjectStore.ts"
import { openS3Store } from "../../../packages/sink-s3/src/openS3Store.ts"
import { withS3Defaults } from "../../../packages/sink-s3/src/S3SinkConfig.ts"
import { readLake } from "../../../packages/sink-s3/test/readLake.ts"
import { bundles } from "../../setup/bundles.ts"
import { untrue } from "../Books.ts"
import type { Errand } from "../fanout/Errand.ts"
import { bucketOf } from "../fanout/Lake.ts"
import type { FanoutPoint } from "../fanout/points.ts"
import { live } from "../Life.ts"
import { type Aftermath, again, type Death, reachedBy, type Target } from "./CommandKill.ts"

const pipeline = "collected"
const source = { crawl: { url: "https://site.test/", limit: 500 } }
const [many, few] = [40, 12]
const shape = { name: "lake", format: "jsonl", mode: "replace" } as const

/** An API over a site of so many pages. */
const simulate = (pages: number, seed: number) => {
  const site = makeSite({ pages, seed: 3 })
  return Simulator.make({ seed, site, crawl: () => crawlHistory(site, { perPoll: 10 }) })
}

/**
 * A lake with all that a collection meets: a run that was replaced and the parts of a process that died at it, one that readers
 * see, one that ended unpublished, and one that is still open.
 */
export const litteredLake = Effect.fnUntraced(function* (server: PostgresServer) {
  const [ledger, path, vault] = [yield* createDatabase(server), yield* directory, yield* directory]
  const whole = yield* simulate(many, 1)
  const shrunk = yield* simulate(few, 2)
  const run = (api: Simulator, death?: { readonly point: FanoutPoint; readonly nth: number }, at: string = path) => {
    const errand: typeof Errand.Encoded = {
      task: "run",
      pipeline,
      source,
      api: { url: api.baseUrl, key: Redacted.value(api.apiKey) },
      postgres: { url: ledger, mode: "replace" },
      lake: { directory: { path: at, ...shape } },
      kept: { vault: { path: vault } },
      segmentRecords: 10,
      leaseMs: 60,
      ...(death === undefined ? {} : { death: { ...death, signal: "SIGKILL" } })
    }
    return live({ ERRAND: JSON.stringify(errand) }, undefined, bundles.fanoutChild)
  }
  yield* run(whole, { point: "after write of lake part", nth: 6 })
  yield* run(whole)
  yield* run(whole)
  yield* run(shrunk)
  yield* run(whole, { point: "after commit of lake", nth: 2 })
  const database = yield* Effect.orDie(Postgres.open({ url: ledger }))
  const rows = yield* Effect.orDie(database.query("SELECT run_id::text AS id, status FROM runs ORDER BY started_at"))
  const [replaced, shown, unpublished, open] = rows.map(({ id }) => String(id))
  const states = rows.map(({ status }) => status).join(", ")
  if (replaced === undefined || shown === undefined || unpublished === undefined || open === undefined) {
    return yield* Effect.die(`the lake is not as littered as it should be: ${states}`)
  }
  return { ledger, path, runs: { replaced, shown, unpublished, open }, states, whole, shrunk, run }
})
export type LitteredLake = Effect.Success<ReturnType<typeof litteredLake>>

/** A copy of a lake in a bucket. */
const uploaded = Effect.fnUntraced(function* (from: ObjectStore, server: S3Server) {
  const s3 = { ...(yield* bucketOf(server)), ...shape }
  const store = yield* openS3Store(withS3Defaults(s3))
  const pointer = `_sluice/pipeline=${pipeline}/latest.json`
  yield* Stream.runForEach(
    Stream.filter(from.list(""), ({ key }) => !key.startsWith(pointer)),
    ({ key }) =>
      Effect.flatMap(from.read(key), (bytes) => store.create(key, objectOf(bytes!, "application/octet-stream")))
  )
  const pointed = yield* from.readPointer(pointer)
  yield* store.movePointer(pointer, undefined, pointed!.bytes)
  return { store, settings: { s3 } }
}, Effect.orDie)

const copied = (from: string) =>
  Effect.map(directory, (path) => {
    cpSync(from, path, { recursive: true })
    return { store: directoryStore(path), settings: { directory: { path, ...shape } } }
  })

/** How the command line finds a lake and its ledger. */
const commandLineAt = Effect.fnUntraced(function* (ledger: string, lake: object) {
  const cwd = yield* directory
  const sinks = [{ postgres: { url: "$DATABASE_URL", mode: "replace" } }, lake]
  writeFileSync(join(cwd, "sluice.yaml"), JSON.stringify({ name: pipeline, source, sinks }))
  return { cwd, env: { DATABASE_URL: ledger } }
})

const pagesIn = ({ read }: ObjectStore) =>
  Effect.promise(async () => {
    const { rows } = await readLake((key) => Effect.runPromise(read(key)), pipeline)
    return rows("pages").map(({ url }) => String(url))
  })

/** Publishes the unpublished run and resumes the open one, in a lake whose garbage is gone. Answers what is wrong. */
export const resumesAfterwards = Effect.fnUntraced(function* ({
  ledger,
  path,
  run,
  runs,
  shrunk,
  whole
}: LitteredLake) {
  const { settings, store } = yield* copied(path)
  const options = yield* commandLineAt(ledger, settings)
  const collected = yield* again(["gc", "--older-than-hours", "0"], options)
  const published = yield* again(["publish", runs.unpublished], options)
  const afterPublish = yield* pagesIn(store)
  const resumed = yield* run(whole, undefined, settings.directory.path)
  const afterResume = yield* pagesIn(store)
  return [
    ...collected.wrong,
    ...published.wrong,
    ...untrue([
      [new Set(afterPublish).size === few && afterPublish.length === few, `it published ${afterPublish.length} pages`],
      [resumed.code === 0, `it was not resumed: ${resumed.stdout}${resumed.stderr}`],
      [new Set(afterResume).size === many && afterResume.length === many, `it resumed to ${afterResume.length} pages`],
      // One for each run: two that completed and the open one, and the one over the smaller site.
      [whole.charges.received("POST") === 3, `${whole.charges.received("POST")} jobs were submitted`],
      [shrunk.charges.received("POST") === 1, `${shrunk.charges.received("POST")} jobs were submitted`]
    ])
  ]
}, Effect.scoped)

/** A collection of the garbage of a littered lake: kills of it take nothing that somebody needs, and the next one takes the rest. */
export const collectionOf = Effect.fnUntraced(function* (
  { ledger, path, runs }: LitteredLake,
  s3: S3Server,
  where: "directory" | "s3"
) {
  const copy = where === "directory" ? copied(path) : uploaded(directoryStore(path), s3)
  type Place = Effect.Success<typeof copy>
  const keysOf = ({ store }: Place) =>
    Effect.orDie(Effect.map(Stream.runCollect(store.list("")), (objects) => objects.map(({ key }) => key).sort()))
  const collect = ({ settings: lake }: Place, death?: Death) => {
    const task = { command: "gc", lake, pipeline, ledger }
    const order = { task, ...(death === undefined ? {} : { death }) }
    return live({ ORDER: JSON.stringify(order) }, undefined, bundles.commandChild)
  }
  const reference = yield* Effect.scoped(
    Effect.gen(function* () {
      const place = yield* copy
      const before = yield* keysOf(place)
      const shown = yield* pagesIn(place.store)
      const { stderr, stdout } = yield* collect(place)
      if (stdout === "") return yield* Effect.die(stderr)
      const met: Record<string, number> = JSON.parse(stdout)
      return { before, shown, left: yield* keysOf(place), phases: new Map(Object.entries(met)) }
    })
  )
  const ofRun = (keys: ReadonlyArray<string>, run: string) => keys.filter((key) => runOf(key) === run)

  const kill = Effect.fnUntraced(function* (death: Death): Effect.fn.Return<Aftermath, never, Scope.Scope> {
    const place = yield* copy
    const reached = reachedBy(yield* collect(place, death))
    const half = yield* keysOf(place)
    const seen = yield* pagesIn(place.store)
    const gc = again(["gc", "--older-than-hours", "0", "--json"], yield* commandLineAt(ledger, place.settings))
    const second = yield* gc
    const third = yield* gc
    const left = yield* keysOf(place)
    // A file that was being written when its process died counts as an upload.
    const removed = ({ code, stdout }: Finished): number => {
      if (code !== 0) return Number.NaN
      const { objects, uploads }: Garbage = JSON.parse(stdout)
      return objects + uploads
    }
    const { before } = reference
    return {
      reached,
      wrong: [
        ...second.wrong,
        ...third.wrong,
        ...untrue([
          [reference.left.every((key) => half.includes(key)), "it took what somebody needs"],
          [isDeepStrictEqual(seen, reference.shown) && seen.length === many, `readers saw ${seen.length} pages`],
          [isDeepStrictEqual(yield* pagesIn(place.store), reference.shown), "readers see other pages"],
          [isDeepStrictEqual(left, reference.left), "what is left is not what an undisturbed one leaves"],
          [ofRun(left, runs.replaced).length === 0, "the run that was replaced is left"],
          [
            isDeepStrictEqual(ofRun(left, runs.unpublished), ofRun(before, runs.unpublished)),
            "it took of the unpublished run"
          ],
          [isDeepStrictEqual(ofRun(left, runs.open), ofRun(before, runs.open)), "it took of the open run"],
          [removed(second) === half.length - left.length, `of ${half.length - left.length}: ${second.stdout}`],
          [removed(third) === 0, `of none: ${third.stdout}`]
        ])
      ]
    }
  })
  const target: Target = { phases: reference.phases, kill: (death) => Effect.scoped(kill(death)) }
  return target
})
