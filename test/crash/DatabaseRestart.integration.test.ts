import { assert, describe, it } from "@effect/vitest"
import { createDatabase, type OwnPostgres, ownPostgres } from "@sluice/testkit"
import { Effect } from "effect"
import { tornIn } from "./Books.ts"
import type { End } from "./Life.ts"
import { type Kind, workOf } from "./Work.ts"
import { isHalfWay, openWorkplace } from "./Workplace.ts"

/** Half of a run's pages stand when its server goes; `outage` is what happens to the server until it is back. */
const interruptedBy = Effect.fnUntraced(function* (
  server: OwnPostgres,
  kind: Kind,
  seed: number,
  outage: (end: Effect.Effect<End>) => Effect.Effect<void>
) {
  const url = yield* createDatabase(server)
  const work = workOf(kind, seed, { pages: 300, perPoll: 5 })
  const workplace = yield* openWorkplace({ work, url, pipeline: `outage-${kind}` })
  const life = yield* workplace.begin()
  yield* workplace.until(isHalfWay(work))
  yield* outage(life.end)
  const end = yield* life.end
  const books = yield* workplace.books
  assert.deepStrictEqual(tornIn(books), [])
  if (books.runs.some((run) => run.is_over)) assert.strictEqual(end.code, 0, end.stderr)
  const further = yield* workplace.finish()
  const finding = yield* workplace.finding
  assert.deepStrictEqual(finding.wrong, [], `${end.stdout.slice(-600)}\n${further.at(-1)?.stdout.slice(-600)}`)
  return { end, further }
}, Effect.scoped)

describe("a Postgres server that goes away while a run loads into it", () => {
  it.live(
    "is ridden out or leaves the run resumable, whether it shuts down, crashes, or stays away",
    () =>
      Effect.gen(function* () {
        const server = yield* ownPostgres()
        for (const shutdown of ["fast", "immediate"] as const) {
          for (const kind of ["crawl", "batch", "extract"] as const) {
            yield* interruptedBy(server, kind, 4, () => Effect.andThen(server.halt(shutdown), server.start))
          }
        }
        const { end, further } = yield* interruptedBy(server, "crawl", 6, (untilItGivesUp) =>
          Effect.andThen(server.halt("fast"), Effect.andThen(untilItGivesUp, server.start))
        )
        assert.include(end.stdout, "cannot be reached")
        assert.isNotEmpty(further)
      }),
    120_000
  )
})
