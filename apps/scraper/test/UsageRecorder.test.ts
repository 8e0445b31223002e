import { appendFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted, Scope } from "effect"
import { UsageRecorder } from "../src/jobs/UsageRecorder.ts"
import { ServerSettings, withDefaults } from "../src/ScraperConfig.ts"
import { StateStore } from "../src/state/StateStore.ts"
import { stateDirectory } from "./TestScraper.ts"

/** Runs with a usage on a directory, as one run of the server would. */
const withRecorder = Effect.fnUntraced(function* <A, E>(
  stateDir: string,
  use: (usage: UsageRecorder["Service"]) => Effect.Effect<A, E>
) {
  const settings = Layer.succeed(ServerSettings, withDefaults({ apiKeys: [Redacted.make("k")], stateDir }))
  const scope = yield* Scope.make()
  const layer = Layer.fresh(UsageRecorder.layer).pipe(Layer.provide(StateStore.layer), Layer.provide(settings))
  return yield* UsageRecorder.use(use).pipe(
    Effect.provide(layer),
    Scope.provide(scope),
    Effect.ensuring(Scope.close(scope, Exit.void))
  )
})

const record = (usage: UsageRecorder["Service"], n: number, ok = true) =>
  usage.record({ owner: "me", job: { id: "j", n }, errorCode: ok ? null : "TIMEOUT", durationMs: 5 })

describe("UsageRecorder", () => {
  it.effect("knows after a restart what it counted, and counts no page of an open job again", () =>
    Effect.gen(function* () {
      const stateDir = yield* stateDirectory
      yield* withRecorder(stateDir, (usage) =>
        Effect.all([record(usage, 1), record(usage, 2, false), record(usage, 3)], { discard: true })
      )
      // What a crash leaves of a line counts for nothing.
      appendFileSync(join(stateDir, "usage.jsonl"), '{"t":"page","owner":"me","job":"j","n":4,"at"')
      yield* withRecorder(
        stateDir,
        Effect.fnUntraced(function* (usage) {
          assert.strictEqual(usage.counted("j"), 3)
          yield* record(usage, 2)
          yield* record(usage, 3)
          yield* record(usage, 4)
          assert.deepStrictEqual(usage.stats.sum("me", 0, 0), { ok: 3, failed: 1, ms: 20 })
          yield* usage.close("j")
        })
      )
      yield* withRecorder(stateDir, (usage) =>
        Effect.sync(() => {
          assert.strictEqual(usage.counted("j"), 0)
          assert.strictEqual(usage.stats.tokensOf("me"), 3)
        })
      )
    })
  )
})
