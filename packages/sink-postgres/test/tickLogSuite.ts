import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Database, Postgres, type TickDecision } from "../src/index.ts"
import { freshSchema, type Place } from "./databases.ts"

const lease = { holder: "somewhere/1/a", durationMs: 60_000 }

/** Moves the time that ticks have been decided up to into the past: the database's clock cannot be set. */
const rewind = (database: Database, pipeline: string, seconds: number) =>
  database.query("UPDATE schedules SET decided_until = now() - $2 * interval '1 s' WHERE pipeline = $1", [
    pipeline,
    seconds
  ])

/** A tick each second. */
const everySecond = (since: number, now: number): ReadonlyArray<TickDecision> =>
  Array.from({ length: Math.floor(now / 1000) - Math.floor(since / 1000) }, (_, at) => {
    const dueAt = (Math.floor(since / 1000) + 1 + at) * 1000
    return { dueAt, startAt: dueAt, state: "due" }
  })

/** What workers that share a database rely on. */
export const tickLogSuite = (name: string, place: Effect.Effect<Place>): void => {
  const prepared = Effect.gen(function* () {
    const at = { ...(yield* place), schema: freshSchema() }
    const database = yield* Postgres.open(at)
    yield* Postgres.migrate(database)
    return { database, log: Postgres.tickLog(database), ledger: Postgres.ledger(database) }
  })

  describe(`${name}: the ticks of schedules`, () => {
    it.live("are decided from when a pipeline is first served, and once, by the first worker that asks", () =>
      Effect.gen(function* () {
        const { database, log } = yield* prepared
        const [first] = yield* log.states(["docs"])
        assert.deepInclude(first, { pipeline: "docs", next: undefined, open: undefined })
        assert.isAtMost(first!.now - first!.decidedUntil, 60_000)
        yield* rewind(database, "docs", 30)
        const spans: Array<readonly [number, number]> = []
        const decided = yield* Effect.forEach(
          Array.from({ length: 8 }),
          () =>
            log.decide("docs", (since, now) => {
              spans.push([since, now])
              return everySecond(since, now)
            }),
          { concurrency: "unbounded" }
        )
        const ticks = decided.flat()
        assert.isAtLeast(ticks.length, 29)
        assert.lengthOf([...new Set(ticks.map(({ dueAt }) => dueAt))], ticks.length)
        spans.sort(([a], [b]) => a - b)
        for (const [at, [since]] of spans.entries()) if (at > 0) assert.strictEqual(since, spans[at - 1]![1])
        const listed = yield* log.list("docs", 1000)
        assert.deepStrictEqual(
          [...listed].reverse(),
          [...ticks].sort((a, b) => a.dueAt - b.dueAt)
        )
        assert.isEmpty(yield* log.decide("unknown", everySecond))
      })
    )

    it.live("start one after the other, each with one run that begins once", () =>
      Effect.gen(function* () {
        const { database, ledger, log } = yield* prepared
        yield* log.states(["docs", "other"])
        yield* rewind(database, "docs", 3)
        const [first, second] = yield* log.decide("docs", everySecond)
        const state = Effect.map(log.states(["other", "docs"]), ([, docs]) => docs!)
        assert.deepStrictEqual((yield* state).next, { dueAt: first!.dueAt, runId: first!.runId })
        const intent = { pipeline: "docs", configHash: "h", startedAt: first!.dueAt }
        const begin = ledger.begin(intent, lease, { unlessOpen: true, runId: first!.runId })
        const begun = yield* Effect.forEach([1, 2, 3], () => Effect.result(begin), { concurrency: "unbounded" })
        assert.lengthOf(
          begun.filter(({ _tag }) => _tag === "Success"),
          1
        )
        const during = yield* state
        assert.strictEqual(during.next?.runId, second!.runId)
        assert.deepInclude(during.open, { runId: first!.runId, status: "running", holder: lease.holder })
        assert.isAbove(during.open!.leaseLeftMs, 0)
        assert.isTrue(yield* log.skip("docs", second!.dueAt))
        assert.isFalse(yield* log.skip("docs", second!.dueAt))
        assert.isFalse(yield* log.skip("docs", first!.dueAt))
        yield* log.recordBegun("docs")
        const states = (yield* log.list("docs", 1000)).map(({ state }) => state).reverse()
        assert.deepStrictEqual(states.slice(0, 2), ["begun", "skipped"])
        assert.strictEqual((yield* log.states(["other"]))[0]?.next, undefined)
      })
    )

    it.live("that wait for their jitter are not due yet", () =>
      Effect.gen(function* () {
        const { database, log } = yield* prepared
        yield* log.states(["docs"])
        yield* rewind(database, "docs", 2)
        yield* log.decide("docs", (_, now) => [{ dueAt: now - 1000, startAt: now + 3_600_000, state: "due" }])
        assert.strictEqual((yield* log.states(["docs"]))[0]?.next, undefined)
      })
    )
  })
}
