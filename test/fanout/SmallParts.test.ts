import { assert, describe, it } from "@effect/vitest"
import { Crawl, makeLedgerMemory, Pipeline, type Receipt, type Sink } from "@sluice/core"
import { Deferred, Effect } from "effect"
import { TestClock } from "effect/testing"
import { collectGarbage } from "../../packages/sink-s3/src/collectGarbage.ts"
import { directoryStore } from "../../packages/sink-s3/src/DirectoryStore.ts"
import { lakeConnection } from "../../packages/sink-s3/src/LakeSession.ts"
import type { ObjectStore } from "../../packages/sink-s3/src/ObjectStore.ts"
import { folder } from "../../packages/sink-s3/test/folder.ts"
import { filesOf, readLake } from "../../packages/sink-s3/test/readLake.ts"
import { memorySink } from "../core/MemorySink.ts"
import { StrangeApi } from "../core/StrangeApi.ts"

/** A crawl of an hour whose pages come some seventy at a time, and what it may end in. */
const pages = 10_000
const hour = { pages, takes: 3600, lag: 0, stray: new Map() }
const pace = { pollMin: "25 seconds", pollMax: "25 seconds" } as const
const leastSegments = 100
const mostParts = 10

const options = { name: "lake", mode: "append", format: "jsonl", part_bytes: 32 * 1024 * 1024 } as const
/** The step of virtual time. None passes while files are written. */
const step = "1 second"

/** Which object a process dies at, counted from 1, and whether it has made it. */
type Death = readonly [isLast: (key: string, nth: number) => boolean, when: "before" | "after"]
const deaths: ReadonlyArray<Death> = [
  [(_, nth) => nth === 7, "before"],
  [(_, nth) => nth === 90, "after"],
  [(_, nth) => nth === 61, "before"],
  [(key) => key.includes("/part-"), "after"],
  [(key) => key.includes("/gathered-"), "before"],
  [(key) => key.includes("/gathered-"), "after"],
  [(key) => key.includes("/manifest-"), "after"]
]

/** A lake whose process dies so, if at all. */
const mortalLake = (store: ObjectStore, [isLast, when]: Death = [() => false, "after"]) => {
  const died = Deferred.makeUnsafe<void>()
  let made = 0
  let writing = 0
  const counted = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => void writing++),
      () => work,
      () => Effect.sync(() => void writing--)
    )
  const mortal: ObjectStore = {
    ...store,
    create: (key, object) =>
      Effect.suspend(() => {
        if (!isLast(key, ++made)) return store.create(key, object)
        const last = when === "after" ? Effect.asVoid(store.create(key, object)) : Effect.void
        return Effect.andThen(last, Effect.andThen(Deferred.succeed(died, undefined), Effect.never))
      })
  }
  const connection = lakeConnection(mortal, { ...options, success_marker: false })
  const sink: Sink = {
    kind: "lake",
    name: "lake",
    behaviour: {},
    connect: Effect.succeed({
      ...connection,
      begin: (run) =>
        Effect.map(counted(connection.begin(run)), (session) => ({
          ...session,
          write: (segment, commit) => counted(session.write(segment, commit)),
          publish: counted(session.publish)
        }))
    })
  }
  return { sink, died: Deferred.await(died), isWriting: () => writing > 0 && !Deferred.isDoneUnsafe(died) }
}

const passTime = (isWriting: () => boolean) =>
  Effect.gen(function* () {
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    if (!isWriting()) yield* TestClock.adjust(step)
  }).pipe(Effect.forever)

describe("an hour of small pages, into a lake beside a sink of small segments", () => {
  it.effect("ends in a few parts of each dataset, with every page once, whatever processes died on the way", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const store = directoryStore(path)
      const api = new StrangeApi(hour)
      const ledger = makeLedgerMemory()
      const other = memorySink()
      let receipt: Receipt | undefined
      let died = 0
      for (const death of [...deaths, undefined]) {
        const lake = mortalLake(store, death)
        const sinks = [other.sink, lake.sink]
        const pipeline = Pipeline.make({ name: "hour", source: Crawl.make({ url: "https://strange.test/" }), sinks })
        const outcome = yield* Pipeline.execute(pipeline, { ledger, drain: "1 second", reader: pace }).pipe(
          Effect.provide(api.layer()),
          Effect.raceFirst(Effect.as(lake.died, undefined)),
          Effect.raceFirst(passTime(lake.isWriting))
        )
        if (outcome === undefined) died++
        receipt = outcome?.receipt
      }
      assert.strictEqual(died, deaths.length)
      assert.strictEqual(receipt?.status, "completed")
      assert.lengthOf(api.jobs, 1)
      assert.isAtLeast(other.written.length, leastSegments)
      assert.strictEqual(other.pages.size, pages)

      const read = yield* Effect.promise(() => readLake(filesOf(path), "hour"))
      const urls = read.rows("pages").map(({ url }) => url)
      assert.lengthOf(urls, pages)
      assert.strictEqual(new Set(urls).size, pages)
      assert.lengthOf(read.rows("page_metadata"), pages)

      const parts = new Map<string, number>()
      const [run] = read.runs
      for (const { dataset } of JSON.parse(`${Buffer.from((yield* store.read(run!.manifest))!)}`).parts) {
        parts.set(dataset, (parts.get(dataset) ?? 0) + 1)
      }
      for (const [dataset, count] of parts) assert.isAtMost(count, mostParts, dataset)

      yield* TestClock.setTime(Date.now() + 60_000)
      const garbage = { pipeline: "hour", isKept: () => Effect.succeed(false), olderThan: 0 }
      yield* collectGarbage(store, garbage)
      assert.lengthOf((yield* Effect.promise(() => readLake(filesOf(path), "hour"))).rows("pages"), pages)
      assert.deepStrictEqual(yield* collectGarbage(store, garbage), { objects: 0, uploads: 0 })
    })
  )
})
