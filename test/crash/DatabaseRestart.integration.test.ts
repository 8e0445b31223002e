import { assert, describe, it } from "@effect/vitest"
import { createDatabase, type OwnPostgres, ownPostgres, type Shutdown } from "@sluice/testkit"
import { Config, Effect } from "effect"
import { tornIn } from "./Books.ts"
import type { End } from "./Life.ts"
import { type Kind, kinds, workOf } from "./Work.ts"
import { halfWay, isHalfWay, openWorkplace } from "./Workplace.ts"

/** Some of a run's pages stand when its server goes; it is started again after what is waited for. */
const interruptedBy = Effect.fnUntraced(function* (
  server: OwnPostgres,
  kind: Kind,
  seed: number,
  shutdown: Shutdown,
  untilItIsBack: (end: Effect.Effect<End>) => Effect.Effect<unknown>
) {
  const url = yield* createDatabase(server)
  const work = workOf(kind, seed, { pages: 150, perPoll: 3 })
  const workplace = yield* openWorkplace({ work, url, pipeline: `outage-${kind}`, heldAfter: halfWay[kind] })
  const life = yield* workplace.begin()
  yield* workplace.until(isHalfWay(work))
  yield* server.halt(shutdown)
  yield* workplace.letGo
  yield* untilItIsBack(life.end)
  yield* server.start
  const end = yield* life.end
  const chargeLedger = yield* workplace.books
  assert.deepStrictEqual(tornIn(chargeLedger), [])
  if (chargeLedger.runs.some((run) => run.is_over)) assert.strictEqual(end.code, 0, end.stderr)
  const further = yield* workplace.finish()
  const finding = yield* workplace.finding
  assert.deepStrictEqual(finding.wrong, [], `${end.stdout.slice(-600)}\n${further.at(-1)?.stdout.slice(-600)}`)
  return { end, further }
}, Effect.scoped)

/** The normal suite takes a kind for each way to go; a soak takes all. */
const cases = Effect.map(Config.Int("SLUICE_CRASH_SEEDS").pipe(Config.withDefault(1)), (most) =>
  most === 1
    ? ([
        ["fast", "crawl"],
        ["immediate", "extract"]
      ] as const)
    : kinds.flatMap((kind) => (["fast", "immediate"] as const).map((shutdown) => [shutdown, kind] as const))
)

describe("a Postgres server that goes away while a run loads into it", () => {
  it.live(
    "is ridden out or leaves the run resumable, whether it shuts down, crashes, or stays away",
    () =>
      Effect.gen(function* () {
        const server = yield* ownPostgres()
        for (const [shutdown, kind] of yield* cases) {
          yield* interruptedBy(server, kind, 4, shutdown, () => Effect.void)
        }
        const { end, further } = yield* interruptedBy(server, "batch", 6, "fast", (untilItGivesUp) => untilItGivesUp)
        assert.include(end.stdout, "cannot be reached")
        assert.isNotEmpty(further)
      }),
    300_000
  )
})
