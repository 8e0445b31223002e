import { assert, describe, it } from "@effect/vitest"
import {
  Batch,
  Crawl,
  Extract,
  type Ledger,
  makeLedgerMemory,
  Pipeline,
  Scraper,
  SiteMap,
  type Source
} from "@sluice/core"
import { crawlHistory, dailySample, makeRng, makeSite, type Rng, roll, Simulator } from "@sluice/testkit"
import { Effect, Fiber, Layer } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import type { Budget } from "../../packages/core/src/pipeline/Budget.ts"
import type { Plan } from "../../packages/core/src/run/plan/Plan.ts"
import { memorySink } from "./MemorySink.ts"

const reading: ReadonlySet<PropertyKey> = new Set([
  "store",
  "runs",
  "open",
  "state",
  "submissions",
  "spent",
  "committed"
])

/** A ledger that counts what is asked of it besides reading. */
const watched = (ledger: Ledger) => {
  const writes: Array<string> = []
  const proxy = new Proxy(ledger, {
    get: (target, member, receiver) => {
      if (!reading.has(member)) writes.push(String(member))
      return Reflect.get(target, member, receiver)
    }
  })
  return { ledger: proxy, writes }
}

const pick = <A>(next: Rng, members: ReadonlyArray<A>): A => members[roll(next, members.length)]!

/** A source, and what it costs where the site decides nothing; undefined where the site's size does. */
const randomSource = (next: Rng, pages: number): readonly [Source, number | undefined] => {
  const urls = Array.from({ length: 1 + roll(next, pages) }, (_, at) =>
    at === 0 ? "https://site.test/" : `https://site.test/p/${at}`
  )
  const limit = 1 + roll(next, 2 * pages)
  switch (roll(next, 7)) {
    case 0:
    case 1:
      return [Crawl.make({ url: "https://site.test/", limit }), limit <= pages ? limit : undefined]
    case 2:
      return [Crawl.make({ url: "https://site.test/", ...(next() < 0.5 ? { depth: 1 } : {}) }), undefined]
    case 3:
      return [Batch.make({ urls, batch_size: 1 + roll(next, 20) }), urls.length]
    case 4:
      return [Extract.make({ urls, concurrency: 1 + roll(next, 6), mode: pick(next, ["sync", "async"]) }), urls.length]
    case 5:
      return [SiteMap.make({ url: "https://site.test/" }), 0]
    default:
      return [
        SiteMap.make({ url: "https://site.test/", into: { batch: { batch_size: 1 + roll(next, 20) } } }),
        undefined
      ]
  }
}

const randomBudget = (next: Rng, pages: number): Budget | undefined => {
  if (next() < 0.4) return undefined
  const bound = pick(next, ["tokens", "per_day", "per_month", "per_pipeline"] as const)
  return { [bound]: 1 + roll(next, 2 * pages), ...(next() < 0.2 ? { clamp: false } : {}) }
}

/** One history of a pipeline: attempts that end or are interrupted, then a plan, and the run that it is of. */
const history = Effect.fnUntraced(function* (seed: number) {
  const next = makeRng(seed, "plan")
  const pages = 1 + roll(next, 60)
  const site = makeSite({ pages, seed })
  const perPoll = 1 + roll(next, 20)
  let stopAt = Number.POSITIVE_INFINITY
  let stop: Fiber.Fiber<unknown, unknown> | undefined
  const api = yield* Simulator.inProcess({
    site,
    crawl: ({ depth, limit }) =>
      crawlHistory(site, {
        perPoll,
        ...(limit === undefined ? {} : { limit }),
        ...(depth === undefined ? {} : { depth })
      }),
    onRequest: () =>
      Effect.suspend(() =>
        stopAt-- === 0 && stop !== undefined
          ? Effect.asVoid(Fiber.interrupt(stop).pipe(Effect.forkDetach))
          : Effect.void
      )
  })
  const client = Layer.orDie(
    Scraper.layer({ baseUrl: api.baseUrl, apiKey: api.apiKey, requestsPerSecond: 1000 }).pipe(
      Layer.provide(Layer.succeed(HttpClient.HttpClient, api.client))
    )
  )
  const ledger = makeLedgerMemory()
  let [source, cost] = randomSource(next, pages)
  const budget = randomBudget(next, pages)
  const { sink } = memorySink()
  const made = () => Pipeline.make({ name: "p", source, sinks: [sink], budget, orphans: "ignore" })
  const attempt = Effect.fnUntraced(function* (interruptAt?: number) {
    stopAt = interruptAt ?? Number.POSITIVE_INFINITY
    stop = yield* Effect.forkChild(Effect.provide(Pipeline.execute(made(), { ledger, segmentRecords: 5 }), client))
    const fiber = stop as Fiber.Fiber<Effect.Success<ReturnType<typeof Pipeline.execute>>, unknown>
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("2 seconds")
    return yield* Effect.exit(Fiber.join(fiber))
  })
  for (let before = roll(next, 4); before > 0; before--) {
    yield* attempt(next() < 0.6 ? roll(next, 12) : undefined)
    if (next() < 0.2) yield* TestClock.adjust("1 day")
  }
  if (next() < 0.1) {
    ;[source, cost] = randomSource(next, pages)
  }

  const [requests, before] = [api.charges.requests.length, api.charges.tokens]
  const { ledger: reads, writes } = watched(ledger)
  const plan = Effect.scoped(
    Pipeline.plan(made(), { ledger: { place: "memory", statements: [], checks: [], ledger: reads } })
  )
  const found: Plan = yield* plan
  assert.strictEqual((yield* plan).hash, found.hash)
  assert.deepStrictEqual([writes, api.charges.requests.length - requests], [[], 0])

  const ended = yield* attempt()
  const paid = api.charges.tokens - before
  const label = JSON.stringify({ seed, source, budget, found, paid })
  if (found.action === "halt") {
    assert.strictEqual(ended._tag, "Failure", label)
    assert.strictEqual(paid, 0, label)
    return found
  }
  assert.strictEqual(ended._tag, "Success", label)
  if (ended._tag === "Failure") return found
  const { receipt } = ended.value
  const posts = Map.groupBy(
    api.charges.requests.slice(requests).filter(({ method }) => method === "POST"),
    ({ url }) => url
  )
  for (const [path, made] of posts) {
    const planned = found.calls.find((call) => call.method === "POST" && call.path === path)
    assert.isDefined(planned, `${path} ${label}`)
    assert.isAtMost(made.length, planned?.times ?? Number.POSITIVE_INFINITY, label)
  }
  if (found.run_id !== undefined) assert.strictEqual(receipt.run_id, found.run_id, label)
  if (found.cost.most === null) return found
  assert.isAtMost(paid, found.cost.most, label)
  // Where the size of the site decides nothing, the bound is what is paid.
  const isCertain = cost !== undefined && found.action === "begin" && receipt.status === "completed"
  if (isCertain) assert.isAtMost(found.cost.most, 1.2 * paid, label)
  return found
})

/** Histories in one test. */
const together = 50

describe("a plan of a random pipeline after a random history", { concurrent: true }, () => {
  for (const part of dailySample(
    Array.from({ length: 1000 / together }, (_, at) => at),
    10
  )) {
    it.effect(`writes and asks nothing, and its bound holds: ${part * together} to ${(part + 1) * together - 1}`, () =>
      Effect.gen(function* () {
        const actions = new Set<string>()
        for (let seed = part * together; seed < (part + 1) * together; seed++) {
          actions.add((yield* Effect.scoped(history(seed))).action)
        }
        assert.includeMembers([...actions], ["begin", "resume"])
      })
    )
  }
})
