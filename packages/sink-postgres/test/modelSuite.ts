import { assert, describe, it } from "@effect/vitest"
import type { PageRecord } from "@sluice/core"
import { type LoadedPage, loadedOf, sampleRecord, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import fc from "fast-check"
import { type Place, sinkIn } from "./databases.ts"

interface Step {
  readonly run: number
  readonly pages: ReadonlyArray<{
    readonly page: number
    readonly body: number
    readonly links: ReadonlyArray<number>
    readonly took: number
  }>
  /** Whether this step writes the one before again. */
  readonly again: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  run: fc.integer({ min: 0, max: 2 }),
  pages: fc.uniqueArray(
    fc.record({
      page: fc.integer({ min: 0, max: 7 }),
      body: fc.integer({ min: 0, max: 2 }),
      links: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
      took: fc.integer({ min: 0, max: 1 })
    }),
    { maxLength: 6, selector: ({ page }) => page }
  ),
  again: fc.boolean()
})

const recordsOf = ({ run, pages }: Step): ReadonlyArray<PageRecord> =>
  pages.map(({ page, body, links, took }) =>
    sampleRecord(`https://a.example/${page}`, {
      jobId: `job-${run}`,
      status: body === 2 ? "failed" : "completed",
      markdown: body === 2 ? null : `body ${body}`,
      links: links.map((link) => `https://b.example/${link}`),
      durationMs: took
    })
  )

/** Any sequence of segments leaves what a map would hold: by page in merge, by job and page in append. */
export const modelSuite = (name: string, place: Effect.Effect<Place>): void => {
  describe(`${name}: any sequence of segments`, () => {
    for (const mode of ["append", "merge"] as const) {
      it.effect(`equals the model in ${mode}`, () =>
        Effect.gen(function* () {
          const at = yield* place
          for (const steps of fc.sample(fc.array(step, { minLength: 1, maxLength: 8 }), { seed: 42, numRuns: 8 })) {
            const { sink, read } = yield* sinkIn(at, mode)
            const connection = yield* sink.connect
            const runs = yield* Effect.forEach([0, 1, 2], () => startRun(sink, connection))
            const model = new Map<string, LoadedPage>()
            let before: Step | undefined
            for (const [seq, drawn] of steps.entries()) {
              const current = drawn.again && before !== undefined ? before : drawn
              const records = recordsOf(current)
              const { rows } = yield* runs[current.run]!.write(seq, records)
              assert.strictEqual(rows.pages, records.length)
              for (const record of records) {
                model.set(mode === "merge" ? record.url : `${record.jobId} ${record.url}`, loadedOf(record))
              }
              before = current
            }
            const loaded = (yield* read).pages
            assert.deepStrictEqual(loaded.map(inOrder).toSorted(), [...model.values()].map(inOrder).toSorted())
          }
        }).pipe(Effect.scoped)
      )
    }
  })
}

const inOrder = (page: LoadedPage): string =>
  JSON.stringify(Object.entries(page).toSorted(([a], [b]) => (a < b ? -1 : 1)))
