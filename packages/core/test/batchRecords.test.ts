import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fc from "fast-check"
import type { PageRecord } from "../src/record/PageRecord.ts"
import type { SegmentBounds } from "../src/record/Segment.ts"
import type { SinkTarget } from "../src/run/acquire/RunContext.ts"
import { batchRecords, boundsOf, type RunBounds } from "../src/run/deliver/batchRecords.ts"
import { recordOfItem } from "../src/source/recordOfItem.ts"

const place = { jobId: "job", key: 1n, inputIndex: null, parentUrl: null, depth: 1, links: null }
const record: PageRecord = recordOfItem(place, { url: "https://site.test/", status: "completed" })

/** How many records each segment of so many has. */
const sizesOf = (records: ReadonlyArray<PageRecord>, bounds: RunBounds) =>
  Stream.fromIterable(records).pipe(
    Stream.transduce(batchRecords(bounds)),
    Stream.map((segment) => segment.records.length),
    Stream.filter((size) => size > 0),
    Stream.runCollect
  )

const target = (wants?: SegmentBounds) => ({ session: wants === undefined ? {} : { wants } }) as SinkTarget

const largest = { bytes: Number.MAX_SAFE_INTEGER, delayMs: 500 }

describe("the segments of a run", () => {
  it.effect("grow from small ones, where nobody asks for a size", () =>
    Effect.gen(function* () {
      const bounds = boundsOf({}, [target(), target()])
      const sizes = yield* sizesOf(Array<PageRecord>(3000).fill(record), { ...bounds, ...largest })
      assert.deepStrictEqual(sizes, [125, 250, 500, 1000, 1000, 125])
    })
  )

  it("are all alike where the run or one of its sinks asks for a size", () => {
    const wants = { records: 4000, bytes: 1, delayMs: 2 }
    assert.deepInclude(boundsOf({}, [target(), target(wants)]), {
      records: 1000,
      bytes: 1,
      delayMs: 2,
      first: Infinity
    })
    assert.deepInclude(boundsOf({ segmentRecords: 70 }, [target()]), { records: 70, first: Infinity })
  })

  it.effect("hold each record once, in order, and never more than was asked for", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 200 }),
          fc.integer({ min: 1, max: 60 }),
          fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(Infinity)),
          fc.integer({ min: 1, max: 5000 }),
          async (weights, most, first, bytes) => {
            const records = weights.map((weight, at) => ({ ...record, key: BigInt(at), bytes: weight }))
            const segments = await Effect.runPromise(
              Stream.fromIterable(records).pipe(
                Stream.transduce(batchRecords({ records: most, first, bytes, delayMs: 1 })),
                Stream.filter((segment) => segment.records.length > 0),
                Stream.runCollect
              )
            )
            assert.deepStrictEqual(
              segments.flatMap(({ records }) => records),
              records
            )
            for (const [at, { bytes: weight, records }] of segments.entries()) {
              assert.isAtMost(records.length, Math.min(most, first * 2 ** at))
              assert.strictEqual(
                weight,
                records.reduce((sum, { bytes }) => sum + bytes, 0)
              )
              // It was not closed without need, nor held open once its bytes were full.
              assert.isBelow(weight - records.at(-1)!.bytes, bytes)
              const isFull = records.length === Math.min(most, first * 2 ** at) || weight >= bytes
              assert.isTrue(isFull || at === segments.length - 1)
            }
          }
        ),
        { seed: 64, numRuns: 200 }
      )
    )
  )
})
