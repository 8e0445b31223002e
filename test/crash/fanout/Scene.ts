import { readdirSync } from "node:fs"
import { join } from "node:path"
import { makeLedgerMemory, Pipeline, Source, type Vault } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { Directory, S3 } from "@sluice/sink-s3"
import { Simulator } from "@sluice/testkit"
import type { S3Server } from "@sluice/testkit/s3"
import { Effect, Redacted, Schema, Stream } from "effect"
import { folder } from "../../../packages/sink-s3/test/folder.ts"
import { memorySink } from "../../core/MemorySink.ts"
import { bundles } from "../../setup/bundles.ts"
import { begin, live } from "../Life.ts"
import { pageLine, type Work } from "../Work.ts"
import type { Errand } from "./Errand.ts"
import { readFanoutBooks } from "./FanoutBooks.ts"
import { bucketOf, type LakeShape, openLake } from "./Lake.ts"
import type { Keeping } from "./points.ts"

/** A server of databases, and one of buckets, that cases share. */
export interface Servers {
  readonly url: string
  /** A ledger and tables that know nothing of the first. */
  readonly otherUrl: string
  readonly s3: S3Server
}

/** What is carried out, and where it lands. */
export interface SceneOptions {
  readonly work: Work
  readonly pipeline: string
  /** Tells its jobs from those of other scenes in the same database. */
  readonly ids: number
  readonly keeping: Keeping
  readonly lake: LakeShape
  readonly segmentRecords: number
}

/** What a process is told besides. */
export type Orders = Pick<typeof Errand.Encoded, "death" | "down"> & { readonly task?: "run" | "replay" }

/** Where a pipeline lands: tables with a ledger, and a lake. */
export const openPlace = Effect.fnUntraced(function* (s3: S3Server, url: string, { lake, pipeline }: SceneOptions) {
  const database = yield* Postgres.open({ url })
  yield* Effect.orDie(Postgres.migrate(database))
  const { orphans, settings, view } = yield* openLake(s3, pipeline, lake)
  return {
    settings: { postgres: { url, mode: lake.mode }, lake: settings },
    books: readFanoutBooks(database, pipeline),
    view,
    orphans
  }
})
export type ScenePlace = Effect.Success<ReturnType<typeof openPlace>>

/** An API, what is kept of its answers, and a first place to land in, that outlive the processes that work on them. */
export const openScene = Effect.fnUntraced(function* (servers: Servers, options: SceneOptions) {
  const { ids, keeping, pipeline, segmentRecords, work } = options
  const simulator = yield* Simulator.make({ seed: ids, ...work.simulator })
  const path = yield* folder
  const bucket = yield* bucketOf(servers.s3)
  const kept: (typeof Errand.Encoded)["kept"] =
    keeping === "s3 vault" ? { s3: bucket } : keeping === "spool" ? { spool: { path } } : { vault: { path } }
  const vault: Vault =
    keeping === "s3 vault"
      ? S3.vault(bucket)
      : keeping === "spool"
        ? Directory.spool({ path })
        : Directory.vault({ path })

  const told = (place: ScenePlace, { task = "run", ...orders }: Orders) => {
    const errand: typeof Errand.Encoded = {
      task,
      pipeline,
      source: work.source,
      api: { url: simulator.baseUrl, key: Redacted.value(simulator.apiKey) },
      ...place.settings,
      kept,
      segmentRecords,
      leaseMs: 60,
      ...orders
    }
    return { ERRAND: JSON.stringify(errand) }
  }

  /** The files of a spool or a vault in a directory. */
  const keptFiles = Effect.sync(() =>
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => join(parentPath, name).slice(path.length))
  )

  /** Removes from a spool what no run needs, as the next run of the pipeline would. */
  const sweep = Effect.gen(function* () {
    const { sweep } = yield* vault.connect
    yield* sweep!(pipeline, () => Effect.succeed(false))
  }).pipe(Effect.scoped, Effect.orDie)

  /** The pages that a ledger and a sink which know nothing are given from the vault, and the requests that took. */
  const replayed = Effect.gen(function* () {
    const requests = simulator.charges.requests.length
    const { pages, sink } = memorySink()
    const source = yield* Schema.decodeEffect(Source)(work.source)
    const anew = Pipeline.make({ name: pipeline, source, sinks: [sink] })
    const runs = yield* Stream.runCollect(Pipeline.replay(anew, { vault, ledger: makeLedgerMemory() }))
    return {
      runs,
      pages: Array.from(pages.values(), ({ inputIndex, links, url }) => pageLine(url, inputIndex, links.length)).sort(),
      requests: simulator.charges.requests.length - requests
    }
  }).pipe(Effect.orDie)

  return {
    ...options,
    simulator,
    home: yield* openPlace(servers.s3, servers.url, options),
    keptFiles,
    sweep,
    replayed,
    begin: (place: ScenePlace, orders: Orders = {}) => begin(told(place, orders), undefined, bundles.fanoutChild),
    live: (place: ScenePlace, orders: Orders = {}) => live(told(place, orders), undefined, bundles.fanoutChild)
  }
})
export type Scene = Effect.Success<ReturnType<typeof openScene>>
