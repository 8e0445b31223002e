import { assert, describe, it } from "@effect/vitest"
import type { RunHandle } from "@sluice/core/sink"
import { sampleRecord, startRun } from "@sluice/testkit"
import { Effect, Schedule } from "effect"
import fc from "fast-check"
import { type Place, sinkIn } from "./databases.ts"

/** What happens next, to one of the runs that have begun or to a new one. */
interface Step {
  readonly act: "begin" | "write" | "write again" | "publish" | "restart" | "end unpublished"
  readonly run: number
  readonly pages: ReadonlyArray<number>
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom(
    ...(["begin", "begin", "write", "write", "write", "write again", "publish", "publish", "restart"] as const),
    "end unpublished"
  ),
  run: fc.integer({ min: 0, max: 3 }),
  pages: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 4 })
})

interface Modelled {
  readonly number: number
  readonly pages: Map<string, string>
  state: "open" | "published" | "superseded" | "ended"
  written: ReadonlyArray<number>
}

/** Whatever runs do and in whatever order, readers see all of the last one published and nothing else. */
export const replaceModelSuite = (name: string, place: Effect.Effect<Place>): void => {
  describe(`${name}: any sequence of runs`, () => {
    it.live("equals the model in replace", () =>
      Effect.gen(function* () {
        const at = yield* place
        for (const steps of fc.sample(fc.array(step, { minLength: 8, maxLength: 24 }), { seed: 11, numRuns: 10 })) {
          yield* Effect.scoped(follow(at, steps))
        }
      })
    )
  })
}

type Begun = Effect.Success<ReturnType<typeof startRun>>

const follow = Effect.fnUntraced(function* (at: Place, steps: ReadonlyArray<Step>) {
  const { sink, database, read } = yield* sinkIn(at, "replace")
  const connection = yield* sink.connect
  const model: Array<Modelled> = []
  const runs: Array<Begun> = []
  let seq = 0
  const seen = () => model.find(({ state }) => state === "published")?.pages ?? new Map<string, string>()
  const begin = Effect.gen(function* () {
    model.push({ number: model.length, pages: new Map(), state: "open", written: [] })
    runs.push(yield* startRun(sink, connection))
  })
  const recordsOf = ({ number }: Modelled, pages: ReadonlyArray<number>) =>
    pages.map((page) =>
      sampleRecord(`https://a.example/${page}`, { jobId: `job-${number}`, markdown: `run ${number}`, links: [] })
    )
  const write = Effect.fnUntraced(function* (run: Modelled, begun: Begun, pages: ReadonlyArray<number>) {
    const records = recordsOf(run, pages)
    const written = yield* Effect.exit(begun.write(seq++, records))
    assert.strictEqual(written._tag === "Success", run.state !== "superseded" || pages.length === 0)
    run.written = pages
    if (run.state !== "superseded") for (const { url, markdown } of records) run.pages.set(url, `${markdown}`)
  })
  yield* begin
  for (const { act, pages, run: drawn } of steps) {
    if (act === "begin") yield* begin
    const index = drawn % runs.length
    const run = model[index]!
    const begun = runs[index]!
    if (run.state === "ended") continue
    if (act === "write") yield* write(run, begun, pages)
    if (act === "write again") yield* write(run, begun, run.written)
    if (act === "restart") {
      const handle: RunHandle = begun.run
      const again = yield* Effect.exit(startRun(sink, connection, { ledger: begun.ledger, run: handle }))
      assert.strictEqual(again._tag === "Success", run.state !== "superseded")
      if (again._tag === "Success") runs[index] = again.value
    }
    if (act === "publish") {
      const published = yield* Effect.exit(begun.publish)
      assert.strictEqual(published._tag === "Success", run.state !== "superseded")
      if (run.state !== "superseded") {
        for (const older of model.slice(0, index)) older.state = "superseded"
        run.state = "published"
      }
    }
    if (act === "end unpublished" && run.state === "open") {
      yield* database.query("UPDATE runs SET finished_at = now(), status = 'incomplete' WHERE run_id = $1", [
        begun.run.runId
      ])
      run.state = "ended"
    }
    const loaded = yield* read
    assert.deepStrictEqual(
      loaded.pages.map(({ markdown, url }) => `${url} ${markdown}`).toSorted(),
      Array.from(seen(), ([url, markdown]) => `${url} ${markdown}`).toSorted()
    )
  }
  // One more that completes leaves nothing but its own pages, and those of runs that began later.
  yield* begin
  yield* runs.at(-1)!.write(seq, recordsOf(model.at(-1)!, [1, 2]))
  yield* runs.at(-1)!.publish
  // A sweep that began with the run leaves a batch it is at to nobody, and may end after the publication's own.
  yield* Effect.repeat(database.query("SELECT count(*) AS pages FROM pages"), {
    schedule: Schedule.spaced("5 millis"),
    until: ([row]) => Number(row?.pages) === 2
  }).pipe(Effect.timeout("10 seconds"))
})
