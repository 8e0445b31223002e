import { assert, describe, it } from "@effect/vitest"
import type { PageRecord } from "@sluice/core"
import { loadedOf, sampleRecord, startRun } from "@sluice/testkit"
import { Effect, Stream } from "effect"
import * as fc from "fast-check"
import { directoryStore } from "../src/DirectoryStore.ts"
import { type CommittedEntry, groupSegments } from "../src/gatherSegments.ts"
import { lakeConnection } from "../src/LakeSession.ts"
import { readStaged, stagedObject } from "../src/StagedSegment.ts"
import { folder } from "./folder.ts"
import { filesOf, landed, readLake } from "./readLake.ts"

const stagedEntry = (seq: number, weight: number): CommittedEntry => ({
  epoch: 1,
  seq,
  entry: { note_version: 2, staged: { key: `staged-${seq}`, weight }, jobs: [] }
})

const lake = { name: "lake", mode: "append", format: "jsonl", part_bytes: 4000, success_marker: false } as const

const opened = Effect.fnUntraced(function* () {
  const path = yield* folder
  const store = directoryStore(path)
  const connection = lakeConnection(store, lake)
  const sink = { kind: "lake", name: "lake", behaviour: {}, connect: Effect.succeed(connection) }
  const keys = Effect.map(Stream.runCollect(store.list("")), (objects) => objects.map(({ key }) => key))
  return { path, store, connection, sink, keys }
})

/** A sample weighs 500 bytes. */
const pagesOf = (seq: number, count: number): ReadonlyArray<PageRecord> =>
  Array.from({ length: count }, (_, at) => sampleRecord(`https://a.example/${seq}/${at}`))

const urlsIn = (path: string) =>
  Effect.map(landed(filesOf(path)), ({ pages }) => pages.map(({ url }) => url).toSorted())

describe("groups of segments", () => {
  it("weigh what a part does, and stay as they are when segments are added, but for the last", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 10 }),
        (first, added) => {
          const entries = [...first, ...added].map((weight, at) => stagedEntry(at + 1, weight))
          const before = groupSegments(entries.slice(0, first.length), 100)
          const after = groupSegments(entries, 100)
          assert.deepStrictEqual(after.slice(0, Math.max(0, before.length - 1)), before.slice(0, -1))
          assert.deepStrictEqual(after.flat(), entries)
          for (const group of after.slice(0, -1)) {
            const weights = group.map(({ seq }) => [...first, ...added][seq - 1]!)
            const all = weights.reduce((sum, weight) => sum + weight, 0)
            assert.isTrue(all >= 100 && all - weights.at(-1)! < 100)
          }
        }
      )
    )
  })
})

describe("a staged segment", () => {
  it.effect("holds its pages and dead letters as they are, the same bytes every time", () =>
    Effect.gen(function* () {
      const { store } = yield* opened()
      const odd = sampleRecord("https://a.example/\u{10FFFF} \u2028", {
        key: -(2n ** 63n),
        markdown: 'e\u0301 \u2028 \t \\ " \r\n 👩‍👧',
        html: "",
        links: [],
        extra: JSON.parse('{"__proto__": {"a": [1.5, null]}, "漢": ""}')
      })
      const content = {
        pages: [odd, ...pagesOf(1, 2)],
        deadLetters: [["job-1", 2n ** 63n - 1n, "https://a.example/", "nul_byte", "a NUL", '{"a":"\\ud83d"}'] as const]
      }
      const object = yield* stagedObject(content)
      assert.deepStrictEqual(yield* stagedObject(content), object)
      yield* store.create("staged", object)
      const read = (yield* readStaged(store, "staged"))!
      assert.deepStrictEqual(read.deadLetters, content.deadLetters)
      assert.deepStrictEqual(
        read.pages.map((page) => loadedOf({ ...page, refusal: null, bytes: 0 })),
        content.pages.map(loadedOf)
      )
      assert.deepStrictEqual(Object.keys(read.pages[0]!.extra!), ["__proto__", "漢"])
      assert.isUndefined(yield* readStaged(store, "elsewhere"))
    })
  )
})

describe("a run of small segments", () => {
  it.effect("is published in parts of several, and what they were made of is removed", () =>
    Effect.gen(function* () {
      const { connection, keys, path, sink } = yield* opened()
      const { publish, write } = yield* startRun(sink, connection)
      for (let seq = 1; seq <= 8; seq++) yield* write(seq, pagesOf(seq, seq === 6 ? 6 : 3))
      // The first is written as it is, the sixth is large; the others weigh 1,500 bytes each.
      assert.lengthOf(
        (yield* keys).filter((key) => key.startsWith("dataset=pages/")),
        2
      )
      assert.lengthOf(
        (yield* keys).filter((key) => key.includes("/staged-")),
        6
      )
      yield* publish
      assert.lengthOf(
        (yield* keys).filter((key) => key.startsWith("dataset=pages/")),
        4
      )
      assert.lengthOf(
        (yield* keys).filter((key) => key.includes("/staged-")),
        0
      )
      assert.lengthOf(yield* urlsIn(path), 7 * 3 + 6)

      const before = yield* keys
      yield* publish
      assert.deepStrictEqual(yield* keys, before)
    })
  )

  it.effect("is published again by its heir from the notes, when what its parts were made of is no more", () =>
    Effect.gen(function* () {
      const { connection, keys, path, sink } = yield* opened()
      const first = yield* startRun(sink, connection)
      for (let seq = 1; seq <= 4; seq++) yield* first.write(seq, pagesOf(seq, 3))
      yield* first.publish
      const urls = yield* urlsIn(path)
      const { ledger, run } = first
      const heir = yield* ledger.takeOver(run.runId, { holder: "host/2/test", durationMs: 60_000 }, "host/1/test")
      yield* (yield* startRun(sink, connection, { ledger, run: heir })).publish
      assert.deepStrictEqual(yield* urlsIn(path), urls)
      const { runs } = yield* Effect.promise(() => readLake(filesOf(path), "suite"))
      assert.match(runs[0]!.manifest, /manifest-0002\.json$/)
      assert.lengthOf(
        (yield* keys).filter((key) => key.startsWith("dataset=pages/")),
        2
      )
    })
  )

  it.effect("is refused where records that the ledger holds have been removed", () =>
    Effect.gen(function* () {
      const { connection, keys, sink, store } = yield* opened()
      const { publish, write } = yield* startRun(sink, connection)
      for (let seq = 1; seq <= 3; seq++) yield* write(seq, pagesOf(seq, 3))
      yield* store.remove((yield* keys).filter((key) => key.includes("/staged-") && key.includes("000003")))
      const error = yield* Effect.flip(publish)
      assert.match(error.message, /the ledger holds segment 3, whose records are not there: objects have been removed/)
      assert.lengthOf(
        (yield* keys).filter((key) => key.includes("/manifest-")),
        0
      )
    })
  )
})
