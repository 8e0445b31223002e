import { assert, describe, it } from "@effect/vitest"
import { Batch, Crawl, Extract, makeLedgerMemory, Pipeline, type RunOptions, Scraper, type Source } from "@sluice/core"
import { type Fault, makeRng, roll } from "@sluice/testkit"
import { Config, Effect, References } from "effect"
import { memorySink } from "../core/MemorySink.ts"
import { atOnce, simulated } from "../core/simulated.ts"
import { type Kind, kinds, type Work, workOf } from "./Work.ts"

/** Seeds for each kind: some in the normal suite, as many as a point gets in a soak. */
const few = 4
const seeds = Config.Int("SLUICE_CRASH_SEEDS").pipe(Config.withDefault(few))

/** Looks at a list that are taken at least; no list here lags longer. */
const looks = 5
const adoption = { lag: "20 millis", pause: "3 millis", looks } as const

/** The ways in which an answer is lost to a client that has left its mark. */
const losses: ReadonlyArray<Fault> = [{ _tag: "Lost" }, { _tag: "Truncated" }, { _tag: "WrongTypes" }]

const sourceOf = ({ source }: Work): Source => {
  if (source.batch !== undefined) return Batch.make(source.batch)
  if (source.extract !== undefined) return Extract.make({ ...source.extract, concurrency: 3 })
  return Crawl.make(source.crawl!)
}

/** A run whose ledger outlives its attempts, against an API whose lists lag as the seed says. */
const setting = Effect.fnUntraced(function* (work: Work, source: Source) {
  const next = makeRng(work.seed, "lost answers", work.kind)
  const { layer, simulator } = yield* simulated({ ...work.simulator, seed: work.seed, listLag: roll(next, looks) })
  const sink = memorySink()
  const ledger = makeLedgerMemory()
  const pipeline = Pipeline.make({ name: "lost", source, sinks: [sink.sink], orphans: "ignore" })
  const attempt = (options: RunOptions = {}) =>
    Pipeline.execute(pipeline, { adoption, segmentDelayMs: 5, reader: atOnce, ...options, ledger }).pipe(
      Effect.map(({ receipt }) => receipt),
      Effect.provide(layer)
    )
  return { attempt, layer, ledger, next, simulator, sink }
})

/** Every case of every kind, a few at once. */
const forEachSeed = <E>(check: (kind: Kind, seed: number) => Effect.Effect<void, E>) =>
  Effect.flatMap(seeds, (most) =>
    Effect.forEach(
      kinds.flatMap((kind) => Array.from({ length: most }, (_, seed) => [kind, seed] as const)),
      ([kind, seed]) => check(kind, seed).pipe(Effect.orDie),
      { concurrency: 4, discard: true }
    ).pipe(Effect.provideService(References.MinimumLogLevel, "Error"))
  )

const long = 600_000

describe("a submission whose answer was lost, in every seed", () => {
  it.live(
    "is adopted once the list shows it, however many are lost and however late it is shown",
    () =>
      forEachSeed(
        Effect.fnUntraced(function* (kind, seed) {
          const work = workOf(kind, seed)
          const { attempt, next, simulator, sink } = yield* setting(work, sourceOf(work))
          const fault = losses[roll(next, losses.length)]!
          simulator.faults.add(
            { method: "POST", fault, nth: [1 + roll(next, work.submissions)] },
            { method: "POST", fault, probability: 0.2 }
          )
          const receipt = yield* attempt()
          const { charges } = simulator
          assert.deepStrictEqual(
            {
              status: receipt.status,
              jobs: charges.jobs.length,
              posts: charges.received("POST"),
              pages: sink.pages.size,
              tokens: [receipt.tokens.charged, charges.tokens]
            },
            {
              status: "completed",
              jobs: work.submissions,
              posts: work.submissions,
              pages: work.pages.length,
              tokens: [work.tokens, work.tokens]
            },
            `${kind}, seed ${seed}, ${fault._tag}: ${receipt.reason}`
          )
        }, Effect.scoped)
      ),
    long
  )

  it.live(
    "halts the run where two jobs could be it, again on every attempt, until somebody decides",
    () =>
      forEachSeed(
        Effect.fnUntraced(function* (kind, seed) {
          const work = workOf(kind, seed)
          const source = inTurn(sourceOf(work))
          const { attempt, layer, next, simulator, sink } = yield* setting(work, source)
          const ordinal = roll(next, work.submissions)
          yield* Effect.provide(submitByHand(source, ordinal), layer)
          const [twin] = simulator.charges.jobs
          simulator.faults.add({ method: "POST", fault: { _tag: "Lost" }, nth: [ordinal + 1] })

          const halted = yield* attempt()
          const ours = simulator.charges.jobs[1 + ordinal]
          const where = `${kind}, seed ${seed}, submission ${ordinal}`
          for (const { reason, status } of [halted, yield* attempt()]) {
            assert.strictEqual(status, "halted", where)
            assert.include(reason, twin!.jobId, where)
            assert.include(reason, ours!.jobId, where)
            assert.strictEqual(simulator.charges.jobs.length, 2 + ordinal, where)
          }
          const decided = yield* attempt({ decision: { adopt: ours!.jobId } })
          assert.strictEqual(decided.status, "completed", where)
          assert.strictEqual(simulator.charges.jobs.length, 1 + work.submissions, where)
          assert.strictEqual(sink.pages.size, work.pages.length, where)
          assert.strictEqual(decided.tokens.charged, work.tokens, where)
        }, Effect.scoped)
      ),
    long
  )
})

describe("a URL that is named twice and asked for twice at once", () => {
  const url = "https://site.test/p/1"
  const twice: Work = { ...workOf("extract", 0), source: { extract: { urls: [url, url] } }, submissions: 2 }
  const lost: Fault = { _tag: "Lost" }
  const neverArrived: Fault = { _tag: "Reset" }
  const late: Fault = { _tag: "Slow", millis: 400 }

  for (const [first, second] of [
    [lost, lost],
    [lost, late],
    [neverArrived, late],
    [late, lost]
  ] as const) {
    it.live(`becomes two jobs, whatever becomes of the answers: ${first._tag} and ${second._tag}`, () =>
      Effect.gen(function* () {
        const { attempt, simulator, sink } = yield* setting(twice, sourceOf(twice))
        simulator.faults.add({ method: "POST", fault: first, nth: [1] }, { method: "POST", fault: second, nth: [2] })
        const receipt = yield* attempt()
        assert.strictEqual(receipt.status, "completed", receipt.reason)
        assert.lengthOf(receipt.jobs, 2)
        assert.deepStrictEqual([simulator.charges.jobs.length, simulator.charges.tokens], [2, 2])
        assert.strictEqual(sink.pages.size, 2)
      }).pipe(Effect.provideService(References.MinimumLogLevel, "Error"))
    )
  }
})

/** One submission after the other, so that the nth request is the nth submission. */
const inTurn = (source: Source): Source =>
  source.extract === undefined ? source : { extract: { ...source.extract, concurrency: 1 } }

/** The very request of a submission, made by somebody else. */
const submitByHand = (source: Source, ordinal: number) =>
  Effect.flatMap(Scraper, (scraper) => {
    if (source.batch !== undefined) {
      const { batch_size: size, urls, ...request } = source.batch
      return Effect.asVoid(scraper.createBatch({ ...request, urls: urls.slice(ordinal * size, (ordinal + 1) * size) }))
    }
    if (source.extract !== undefined) {
      const { concurrency: _, mode: _mode, urls, ...request } = source.extract
      return Effect.asVoid(scraper.createExtraction({ ...request, url: urls[ordinal]! }))
    }
    return Effect.asVoid(scraper.createCrawl(source.crawl!))
  })
