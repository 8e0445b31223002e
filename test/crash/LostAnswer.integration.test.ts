import { assert, describe, it } from "@effect/vitest"
import { createDatabase, makeRng, roll } from "@sluice/testkit"
import { Config, Effect } from "effect"
import type { Life } from "./Life.ts"
import { type Kind, kinds, workOf } from "./Work.ts"
import { openWorkplace } from "./Workplace.ts"

/** Seeds for each kind in the normal suite; a soak takes a tenth as many as it has for a point. */
const few = 1
const seeds = Config.Int("SLUICE_CRASH_SEEDS").pipe(
  Config.map((most) => Math.max(few, Math.round(most / 10))),
  Config.withDefault(few)
)

/** Processes at once. */
const atOnce = 2

/** A process that dies while the API takes one of its submissions on; the lists lag as the seed says. */
const orphaned = Effect.fnUntraced(function* (url: string, kind: Kind, seed: number) {
  const work = workOf(kind, seed)
  const next = makeRng(seed, "orphan", kind)
  const left: { life: Life | undefined; posts: number } = { life: undefined, posts: 1 + roll(next, work.submissions) }
  const workplace = yield* openWorkplace({
    work,
    url,
    pipeline: `orphan-${kind}-${seed}`,
    simulator: {
      listLag: roll(next, 4),
      onRequest: ({ method }) =>
        Effect.sync(() => {
          if (method === "POST" && --left.posts === 0) left.life?.kill("SIGKILL")
        })
    }
  })
  left.life = yield* workplace.begin()
  assert.strictEqual((yield* left.life.end).signal, "SIGKILL")
  return { work, workplace }
})

describe("a process that dies before the answer to a submission that took effect", () => {
  it.live(
    "leaves a job that the next one adopts",
    () =>
      Effect.gen(function* () {
        const url = yield* createDatabase({ url: yield* Config.String("TEST_DATABASE_URL"), label: "" })
        const most = yield* seeds
        const cases = kinds.flatMap((kind) => Array.from({ length: most }, (_, seed) => [kind, seed] as const))
        const adopt = Effect.fnUntraced(function* (kind: Kind, seed: number) {
          const { work, workplace } = yield* orphaned(url, kind, seed)
          const heir = yield* workplace.live()
          assert.include(heir.stdout, "adopted job", `${kind}, seed ${seed}`)
          assert.deepStrictEqual((yield* workplace.finding).wrong, [], `${kind}, seed ${seed}`)
          assert.strictEqual(workplace.simulator.charges.received("POST"), work.submissions, `${kind}, seed ${seed}`)
        }, Effect.scoped)
        yield* Effect.forEach(cases, ([kind, seed]) => adopt(kind, seed), { concurrency: atOnce, discard: true })
      }),
    { timeout: 3_600_000 }
  )
})
