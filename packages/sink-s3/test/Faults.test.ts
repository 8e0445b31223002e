import { assert, describe, it } from "@effect/vitest"
import { makeLedgerMemory, type PageRecord, type Sink } from "@sluice/core"
import { dailySample, loadedOf, sampleRecord, startRun } from "@sluice/testkit"
import { Effect, Exit, Stream } from "effect"
import { TestClock } from "effect/testing"
import { collectGarbage } from "../src/collectGarbage.ts"
import { directoryStore } from "../src/DirectoryStore.ts"
import type { LakeFormat, LakeMode } from "../src/LakeOptions.ts"
import { lakeConnection } from "../src/LakeSession.ts"
import { pointerKey } from "../src/Layout.ts"
import type { ObjectStore } from "../src/ObjectStore.ts"
import { type Fault, faultyStore } from "./faultyStore.ts"
import { folder } from "./folder.ts"
import { filesOf, landed, readLake } from "./readLake.ts"

const lease = { holder: "host/1/test", durationMs: 60_000 }
const segmentsOf = (run: number): ReadonlyArray<ReadonlyArray<PageRecord>> =>
  [1, 2, 3].map((seq) =>
    Array.from({ length: 4 }, (_, at) =>
      sampleRecord(`https://a.example/${run}/${seq}/${at}`, {
        jobId: `job-${run}`,
        ...(at === 3 && seq > 1 ? { markdown: "half \uD83D" } : {})
      })
    )
  )

/** Parts so small that each segment is one, and so large that those after the first are gathered into one. */
const partBytes = { segment: 1, run: 1024 * 1024 } as const
interface Shape {
  readonly mode: LakeMode
  readonly format: LakeFormat
  readonly partOf: keyof typeof partBytes
}

const lakeSink = (store: ObjectStore, { format, mode, partOf }: Shape): Sink => ({
  kind: "lake",
  name: "lake",
  behaviour: {},
  connect: Effect.succeed(
    lakeConnection(store, { name: "lake", mode, format, part_bytes: partBytes[partOf], success_marker: true })
  )
})

/** One attempt at a run: what the ledger does not hold is written, then all is published. */
const attempt = Effect.fnUntraced(function* (
  store: ObjectStore,
  shape: Shape,
  given: Parameters<typeof startRun>[2],
  segments: ReadonlyArray<ReadonlyArray<PageRecord>>
) {
  const sink = lakeSink(store, shape)
  const { ledger, publish, run, write } = yield* startRun(sink, yield* sink.connect, given)
  const standing = yield* Stream.runCollect(ledger.committed(run.runId, sink.name))
  const held = new Set(standing.map(({ seq }) => seq))
  for (const [at, records] of segments.entries()) if (!held.has(at + 1)) yield* write(at + 1, records)
  yield* publish
})

const keysIn = (store: ObjectStore) =>
  Effect.map(Stream.runCollect(store.list("")), (objects) => objects.map(({ key }) => key))

/** A run that meets a fault is carried on by another process, and readers see it whole or not at all. */
const survive = Effect.fnUntraced(function* (shape: Shape, fault: Fault | undefined) {
  const { mode } = shape
  const path = yield* folder
  const store = directoryStore(path)
  const read = Effect.map(landed(filesOf(path)), ({ pages }) => pages.map(({ url }) => url).toSorted())
  const ledger = makeLedgerMemory()
  yield* attempt(store, shape, { ledger }, segmentsOf(1))
  const before = yield* read

  const dying = faultyStore(store, fault)
  const run = yield* ledger.begin({ pipeline: "suite", configHash: "h", startedAt: 1_750_000_001_000 }, lease)
  const first = yield* Effect.exit(attempt(dying.store, shape, { ledger, run }, segmentsOf(2)))
  const clean = (number: number) =>
    segmentsOf(number)
      .flat()
      .filter(({ markdown }) => markdown?.isWellFormed() === true)
  const whole = (mode === "append" ? [...clean(1), ...clean(2)] : clean(2)).map(({ url }) => url).toSorted()
  const between = yield* read
  if (between.length !== before.length || mode === "replace") {
    const isOld = between.join() === before.join()
    assert.deepStrictEqual(isOld ? before : between, isOld ? before : whole, "readers see a part of a run")
  }
  if (Exit.isFailure(first)) {
    const heir = yield* ledger.takeOver(run.runId, lease, lease.holder)
    yield* attempt(store, shape, { ledger, run: heir }, segmentsOf(2))
  }
  assert.deepStrictEqual(yield* read, whole)
  const { deadLetters, pages, summaries } = yield* landed(filesOf(path))
  assert.lengthOf(deadLetters, mode === "append" ? 4 : 2)
  assert.lengthOf(summaries, mode === "append" ? 2 : 1)
  assert.deepStrictEqual(pages.at(-1), loadedOf(clean(2).at(-1)!))

  // What a process left that has died does not outlive the next collection; what readers see does.
  const options = { pipeline: "suite", isKept: () => Effect.succeed(false), olderThan: 0 }
  // Files have the time of the machine, and all are of the past.
  yield* TestClock.setTime(Date.now() + 60_000)
  yield* collectGarbage(store, options)
  assert.deepStrictEqual(yield* read, whole)
  const lake = yield* Effect.promise(() => readLake(filesOf(path), "suite"))
  const shown = yield* Effect.forEach(lake.runs, ({ manifest }) =>
    Effect.map(store.read(manifest), (bytes) => [
      manifest,
      ...JSON.parse(Buffer.from(bytes!).toString()).parts.map(({ key }: { readonly key: string }) => key)
    ])
  )
  const left = (yield* keysIn(store)).filter(
    (key) => !key.startsWith(pointerKey("suite")) && !key.endsWith("/_SUCCESS")
  )
  assert.deepStrictEqual(left.toSorted(), shown.flat().toSorted())
  assert.deepStrictEqual(yield* collectGarbage(store, options), { objects: 0, uploads: 0 })
  return dying.calls()
}, Effect.scoped)

const shapes: ReadonlyArray<Shape> = [
  { mode: "append", format: "jsonl", partOf: "segment" },
  { mode: "append", format: "jsonl", partOf: "run" },
  { mode: "replace", format: "jsonl", partOf: "run" },
  { mode: "append", format: "parquet", partOf: "run" },
  { mode: "replace", format: "parquet", partOf: "segment" }
]

describe("a process that dies at any call of its store", () => {
  for (const shape of shapes) {
    const { format, mode, partOf } = shape
    it.effect(`leaves what readers see whole or as it was: ${mode}, ${format}, a part a ${partOf}`, () =>
      Effect.gen(function* () {
        const calls = yield* survive(shape, undefined)
        assert.isAtLeast(calls, 20)
        const isLong = process.env.SLUICE_LONG_TESTS !== undefined
        const all = Array.from({ length: calls }, (_, at) => at + 1)
        // The normal suite takes turns, half of the calls a day, and has Parquet written a few times only: a store does not care
        // what it is given.
        for (const nth of !isLong && format === "parquet" ? all.filter((nth) => nth % 8 === 0) : dailySample(all, 4)) {
          const ways = isLong
            ? (["before", "after"] as const)
            : [nth % 4 < 2 ? ("before" as const) : ("after" as const)]
          for (const when of ways) yield* survive(shape, { nth, when })
        }
      })
    )
  }
})
