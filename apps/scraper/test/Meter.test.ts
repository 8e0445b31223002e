import { appendFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted, Scope } from "effect"
import { Meter } from "../src/jobs/Meter.ts"
import { ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { StateStore } from "../src/state/StateStore.ts"
import { stateDirectory } from "./TestScraper.ts"

/** Runs with a meter on a directory, as one run of the server would. */
const withMeter = Effect.fnUntraced(function* <A, E>(
  stateDir: string,
  use: (meter: Meter["Service"]) => Effect.Effect<A, E>
) {
  const settings = Layer.succeed(ServerSettings, withDefaults({ apiKeys: [Redacted.make("k")], stateDir }))
  const scope = yield* Scope.make()
  const layer = Layer.fresh(Meter.layer).pipe(Layer.provide(StateStore.layer), Layer.provide(settings))
  return yield* Meter.use(use).pipe(
    Effect.provide(layer),
    Scope.provide(scope),
    Effect.ensuring(Scope.close(scope, Exit.void))
  )
})

const record = (meter: Meter["Service"], n: number, ok = true) =>
  meter.record({ owner: "me", job: { id: "j", n }, errorCode: ok ? null : "TIMEOUT", durationMs: 5 })

describe("Meter", () => {
  it.effect("knows after a restart what it counted, and counts no page of an open job again", () =>
    Effect.gen(function* () {
      const stateDir = yield* stateDirectory
      yield* withMeter(stateDir, (meter) =>
        Effect.all([record(meter, 1), record(meter, 2, false), record(meter, 3)], { discard: true })
      )
      // What a crash leaves of a line counts for nothing.
      appendFileSync(join(stateDir, "usage.jsonl"), '{"t":"page","owner":"me","job":"j","n":4,"at"')
      yield* withMeter(
        stateDir,
        Effect.fnUntraced(function* (meter) {
          assert.strictEqual(meter.counted("j"), 3)
          yield* record(meter, 2)
          yield* record(meter, 3)
          yield* record(meter, 4)
          assert.deepStrictEqual(meter.tally.sum("me", 0, 0), { ok: 3, failed: 1, ms: 20 })
          yield* meter.close("j")
        })
      )
      yield* withMeter(stateDir, (meter) =>
        Effect.sync(() => {
          assert.strictEqual(meter.counted("j"), 0)
          assert.strictEqual(meter.tally.tokensOf("me"), 3)
        })
      )
    })
  )
})
