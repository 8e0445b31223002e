import { assert, describe, it } from "@effect/vitest"
import {
  type ApiProfile,
  clientSettings,
  decodeProfile,
  makeProbeLogMemory,
  ProbeLog,
  type ProbeRequest,
  probeApi,
  type QuestionId,
  questionIds
} from "@sluice/core/probe"
import { Simulator, type SimulatorOptions, sampleSeed, simulatorOf } from "@sluice/testkit"
import { Effect } from "effect"
import { FetchHttpClient } from "effect/http"
import * as fc from "fast-check"
import { arbitraryFacets, configOf, type Expected, target, tokens } from "./probeConfigs.ts"

const atOnce = { pollEvery: 0, lagPause: 0, recoverFor: 0, retryBase: 0, lagReads: 8, burst: 2 } as const

const probed = Effect.fnUntraced(function* (options: SimulatorOptions, request: Partial<ProbeRequest>) {
  const simulator = yield* Simulator.make(options)
  const { apiKey, baseUrl } = simulator
  const found = yield* probeApi({ baseUrl, apiKey, target, ...atOnce, tokens, ...request }).pipe(
    Effect.provideService(ProbeLog, makeProbeLogMemory()),
    Effect.provide(FetchHttpClient.layer)
  )
  return { simulator, found }
}, Effect.scoped)

const valuesOf = ({ answers }: ApiProfile): Expected =>
  Object.fromEntries(questionIds.map((id) => [id, answers[id]?.value])) as Expected

/** An answer that is measured, and differs from probe to probe. */
const measured: QuestionId = "lists.lag_ms"

const isLong = process.env.SLUICE_LONG_TESTS !== undefined

describe("a probe of the simulator", () => {
  it.live(
    "finds out what the simulator was set to do, and one set from its profile does the same",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(arbitraryFacets, (facets) => {
            const { expected, options, unsure } = configOf(facets)
            return Effect.runPromise(
              Effect.gen(function* () {
                const { found, simulator } = yield* probed(options, {})
                const { answers } = found.profile
                const values = valuesOf(found.profile)
                for (const id of questionIds) {
                  if (!(id in expected) || unsure.has(id)) continue
                  assert.deepStrictEqual(values[id], expected[id], `${id}: ${answers[id]?.evidence}`)
                }
                assert.isAtMost(simulator.charges.tokens, tokens)
                assert.isAtMost(simulator.charges.received("POST"), 7)
                const site = options.site!
                const again = yield* probed(simulatorOf(found.profile, { seed: 7, perPoll: 3, site }), {})
                const same = valuesOf(again.found.profile)
                for (const id of questionIds) {
                  if (id !== measured && !unsure.has(id)) assert.deepStrictEqual(same[id], values[id], `again: ${id}`)
                }
              })
            )
          }),
          { numRuns: isLong ? 200 : 4, seed: sampleSeed, endOnFailure: true }
        )
      ),
    600_000
  )

  it.live("answers every question, or says why it stays open, in a profile that can be read again", () =>
    Effect.gen(function* () {
      const { found } = yield* probed({}, {})
      const read = yield* decodeProfile(JSON.stringify(found.profile))
      assert.deepStrictEqual(read, found.profile)
      for (const id of questionIds) {
        const answer = read.answers[id]
        assert.notStrictEqual(answer, undefined, id)
        assert.strictEqual(answer?.confidence === "open", answer?.value === null, id)
        assert.notStrictEqual(answer?.evidence, "", id)
      }
    })
  )

  it.live("sees how a job that is unknown at first is answered, and waits for it", () =>
    Effect.gen(function* () {
      const { found } = yield* probed(simulatorOf({ answers: answered("jobs.unknown_polls", 2) }, { perPoll: 3 }), {})
      const values = valuesOf(found.profile)
      assert.strictEqual(values["jobs.unknown_polls"], 2)
      assert.strictEqual(values["results.page"], "counts from 1")
      assert.isFalse(found.incomplete)
    })
  )
})

const answered = (id: QuestionId, value: unknown): ApiProfile["answers"] => ({
  [id]: { value, evidence: "said by the test", confidence: "seen" }
})

describe("the client settings of a profile", () => {
  const settingsOf = (...answers: ReadonlyArray<readonly [QuestionId, unknown]>) =>
    clientSettings({ answers: Object.assign({}, ...answers.map(([id, value]) => answered(id, value))) })

  it("are those without one where nothing is known", () => {
    assert.deepStrictEqual(settingsOf(), { adoption: { lag: 30_000, looks: 4 } })
  })

  it("wait longer for a list that lags, and do not believe one that cannot be relied on", () => {
    const { adoption, auth } = settingsOf(
      ["auth.accepted", ["bearer"]],
      ["lists.lag_ms", 20_000],
      ["lists.lag_reads", 7],
      ["lists.dates", "ignored"],
      ["lists.page_count", "too small"]
    )
    assert.strictEqual(auth, "bearer")
    assert.deepStrictEqual([adoption.lag, adoption.looks], [60_000, 9])
    assert.strictEqual(adoption.doubt, "a probe has seen that its page_count is too small and it ignores start_date")
  })
})
