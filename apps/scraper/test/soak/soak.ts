import { createHash } from "node:crypto"
import { assert } from "@effect/vitest"
import { sampleSeed } from "@sluice/testkit"
import { Clock, Effect, Random } from "effect"
import { type Held, held, programProcess } from "../ServerProcess.ts"
import { testReceiver } from "../TestReceiver.ts"
import { stateDirectory, until } from "../TestScraper.ts"
import { hostileSite, maxPageBytes } from "./hostileSite.ts"
import { type SoakKey, soakCaller } from "./SoakCaller.ts"

/** Whether it runs for as long as it takes to see what grows. */
export const isLong = process.env.SLUICE_LONG_TESTS !== undefined
/** Which chances are taken; printed with what went wrong. */
const seed = process.env.SLUICE_SOAK_SEED ?? String(sampleSeed)

export const keys: ReadonlyArray<SoakKey> = [
  ...Array.from({ length: isLong ? 6 : 2 }, (_, n) => ({ key: `free-${n}` })),
  ...Array.from({ length: 2 }, (_, n) => ({ key: `throttled-${n}`, requestsPerMinute: isLong ? 120 : 20 })),
  ...Array.from({ length: 2 }, (_, n) => ({ key: `narrow-${n}`, maxOpenJobsPerKey: 2 })),
  ...Array.from({ length: 2 }, (_, n) => ({ key: `poor-${n}`, tokenBalance: isLong ? 100 : 4 })),
  { key: "small", maxCrawlDepth: 1, maxBatchUrls: 4 }
]

/**
 * Has all keys use a server in a process of its own for some minutes: each answer is held against the contract and the limits
 * of its key, and afterwards the server against what it held before.
 */
export const soak = (minutes: number, env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const site = yield* hostileSite
    const receiver = yield* testReceiver
    const server = yield* programProcess(
      {
        stateDir: yield* stateDirectory,
        allowPrivateTargets: true,
        hashedKeys: keys.map(({ key, ...limits }) => ({
          sha256: createHash("sha256").update(key).digest("hex"),
          ...limits
        })),
        hostDelayMs: 0,
        hostConcurrency: 8,
        retryDelayMs: 10,
        pageTimeoutMs: 400,
        retries: 1,
        maxPageBytes,
        maxRunningCrawls: 8,
        maxRunningBatches: 8,
        retainJobs: 40,
        retainDeliveries: 20,
        webhookRetryDelayMs: 50,
        chromium: "none"
      },
      env
    )
    const world = { baseUrl: server.baseUrl, siteUrl: site.url, receiverUrl: receiver.url }
    const callers = keys.map((key) => soakCaller(world, key))
    const before = yield* held(server)
    const startedAt = yield* Clock.currentTimeMillis
    const isFinal = Effect.map(Clock.currentTimeMillis, (now) => now - startedAt > minutes * 60_000)

    const samples: Array<Held> = []
    const sampling = Effect.gen(function* () {
      while (!(yield* isFinal)) {
        yield* Effect.sleep(minutes * 1000)
        samples.push(yield* held(server))
      }
    })
    const calling = Effect.forEach(
      callers,
      (caller, at) =>
        Effect.gen(function* () {
          yield* caller.all
          while (!(yield* isFinal)) {
            yield* caller.step
            yield* Effect.sleep(isLong ? 40 : 5)
          }
        }).pipe(Random.withSeed(`${seed}/${at}`)),
      { concurrency: keys.length, discard: true }
    )
    yield* Effect.all([calling, sampling], { concurrency: 2, discard: true })

    // What was begun ends, and holds nothing once it has.
    yield* until(
      Effect.forEach(callers, (caller) => caller.usage),
      (all) => all.every((usage) => usage === undefined || usage.open_jobs + usage.tokens_reserved === 0)
    )
    const counted = new Map<string, number>()
    for (const { statuses } of callers) {
      for (const [name, count] of statuses) counted.set(name, (counted.get(name) ?? 0) + count)
    }
    const countOf = (text: string) =>
      [...counted].reduce((sum, [name, count]) => sum + (name.includes(text) ? count : 0), 0)
    if (isLong) process.stderr.write(report(counted, [before, ...samples]))

    assert.isTrue(server.isRunning())
    yield* until(
      Effect.sync(() => receiver.received.length),
      (count) => count > 0
    )
    // On a busy machine a site map may not come in time: then a map fails as it may.
    const expected = [" 402", " 429", " 422", "createCrawl 202", "createBatch 202", isLong ? "mapUrls 200" : "mapUrls "]
    for (const answer of expected) assert.isAbove(countOf(answer), 0, `${answer} never came, seed ${seed}`)
    keys.forEach(({ maxOpenJobsPerKey, requestsPerMinute, tokenBalance }, at) => {
      const told = [...(callers[at]?.statuses.keys() ?? [])]
      const isFree = maxOpenJobsPerKey === undefined && requestsPerMinute === undefined
      if (isFree) assert.isFalse(told.some((name) => name.endsWith(" 429")))
      if (tokenBalance === undefined) assert.isFalse(told.some((name) => name.endsWith(" 402")))
    })
    // The connections of this test and of the site, kept for the next request, are what is left.
    const after = yield* until(held(server), ({ files }) => files <= before.files + keys.length + 12)
    if (isLong) staysFlat(samples.concat(after))
  })

const mib = (bytes: number) => Math.round(bytes / 1024 / 1024)

/** Past the first half the kept jobs are as many as there may be: from there on nothing may grow. */
const staysFlat = (samples: ReadonlyArray<Held>) => {
  const mean = (values: ReadonlyArray<Held>, of: (sample: Held) => number) =>
    values.reduce((sum, sample) => sum + of(sample), 0) / values.length
  const [third, fourth] = [
    samples.slice(samples.length / 2, samples.length * 0.75),
    samples.slice(samples.length * 0.75)
  ]
  assert.isBelow(mib(mean(fourth, (_) => _.heap) - mean(third, (_) => _.heap)), 5, "the heap grows")
  assert.isBelow(mib(mean(fourth, (_) => _.rss) - mean(third, (_) => _.rss)), 40, "the process grows")
  assert.isBelow(mean(fourth, (_) => _.files) - mean(third, (_) => _.files), 20, "open files grow")
}

const report = (counted: ReadonlyMap<string, number>, samples: ReadonlyArray<Held>) =>
  [
    `seed ${seed}, ${[...counted.values()].reduce((a, b) => a + b, 0)} calls`,
    ...[...counted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `  ${name}: ${count}`),
    `heap MiB: ${samples.map(({ heap }) => mib(heap)).join(" ")}`,
    `rss MiB: ${samples.map(({ rss }) => mib(rss)).join(" ")}`,
    `files: ${samples.map(({ files }) => files).join(" ")}\n`
  ].join("\n")
