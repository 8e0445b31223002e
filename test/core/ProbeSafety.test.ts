import { assert, describe, it } from "@effect/vitest"
import {
  isUnfinished,
  type LogEntry,
  makeProbeLogMemory,
  type Probed,
  ProbeLog,
  ProbeLogError,
  type ProbeRequest,
  probeApi
} from "@sluice/core/probe"
import {
  crawlHistory,
  dailySample,
  endless,
  type FaultRule,
  faultRules,
  makeSite,
  Simulator,
  type SimulatorOptions
} from "@sluice/testkit"
import { Effect, Fiber } from "effect"
import { FetchHttpClient } from "effect/http"

const atOnce = {
  pollEvery: 1,
  lagPause: 0,
  recoverFor: 0,
  retryBase: 1,
  retries: 40,
  lagReads: 4,
  burst: 1,
  jobDeadline: "20 seconds"
} as const
const site = makeSite({ pages: 30, seed: 3 })
const target = site.url

const probeWith = (simulator: Simulator, log: ProbeLog["Service"], request: Partial<ProbeRequest> = {}) =>
  probeApi({ baseUrl: simulator.baseUrl, apiKey: simulator.apiKey, target, ...atOnce, ...request }).pipe(
    Effect.provideService(ProbeLog, log),
    Effect.provide(FetchHttpClient.layer)
  )

/** What may be submitted at most, by path, however often a probe is begun. */
const most: Readonly<Record<string, number>> = { "/v1/crawl": 3, "/v1/extract": 2, "/v1/batch": 1, "/v1/map": 1 }

const assertOnce = ({ charges }: Simulator, refused = 0) => {
  for (const [path, count] of Object.entries(most)) {
    const posts = charges.requests.filter(
      ({ fault, method, url }) => method === "POST" && url === path && fault !== "Status"
    )
    assert.isAtMost(posts.length, count + refused, path)
  }
}

/** The last word of the API about each crawl and batch: none runs. */
const assertNoneRuns = (simulator: Simulator) =>
  Effect.gen(function* () {
    for (const { jobId, kind } of simulator.charges.jobs) {
      if (kind !== "crawl" && kind !== "batch") continue
      const answer = yield* Effect.promise(() =>
        fetch(`${simulator.baseUrl}/v1/${kind}/${jobId}`, {
          method: "DELETE",
          headers: { "x-api-key": "simulator-key" }
        })
      )
      assert.strictEqual(answer.status, 409, `${kind} ${jobId} runs`)
    }
  })

const value = ({ profile }: Probed, id: keyof Probed["profile"]["answers"]) => profile.answers[id]?.value

/** A log that breaks at its nth entry, before or after that is written: the process is gone then. */
const breakingLog = (nth: number, when: "before" | "after", written: Array<LogEntry>): ProbeLog["Service"] => {
  let count = 0
  const lost = Effect.fail(new ProbeLogError({ detail: "the process is gone" }))
  return ProbeLog.of({
    entries: written,
    append: (entry) =>
      Effect.suspend(() => {
        count++
        if (count === nth && when === "before") return lost
        if (count > nth) return lost
        written.push(entry)
        return count === nth ? lost : Effect.void
      }),
    clear: Effect.sync(() => void written.splice(0))
  })
}

const isLost = (log: ReadonlyArray<LogEntry>, step: string): boolean =>
  log.some((entry) => entry.entry === "lost" && entry.step === step)

/** Entries of a whole probe. */
const entries = 20
const points = Array.from({ length: entries }, (_, at) => at + 1).flatMap(
  (nth) =>
    [
      [nth, "before"],
      [nth, "after"]
    ] as const
)

describe("what a probe submits", () => {
  it.live(
    "is submitted once, wherever the process breaks off: the next one reads what is there",
    () =>
      Effect.gen(function* () {
        let resumed = 0
        for (const [nth, when] of dailySample(points, 8)) {
          const simulator = yield* Simulator.make({ site })
          const written: Array<LogEntry> = []
          const broken = yield* Effect.result(probeWith(simulator, breakingLog(nth, when, written)))
          if (broken._tag === "Failure") assert.strictEqual(broken.failure._tag, "ProbeLogError", `${nth} ${when}`)
          // One that had ended is no more resumed: the next begins, and pays.
          if (!isUnfinished(written)) continue
          const log = makeProbeLogMemory(written)
          const found = yield* probeWith(simulator, log)
          resumed++
          assertOnce(simulator)
          assert.isAtMost(simulator.charges.tokens, 10, `${nth} ${when}`)
          // An intent whose request never left looks like one whose answer was lost: it is not sent either.
          if (!found.incomplete) assert.strictEqual(value(found, "results.page"), "counts from 1", `${nth} ${when}`)
          if (when === "before") assert.isFalse(isLost(log.entries, "crawl"), `${nth} ${when}`)
          yield* assertNoneRuns(simulator)
        }
        assert.isAtLeast(resumed, 3)
      }).pipe(Effect.scoped),
    120_000
  )

  it.live("is adopted where its answer is lost, and never sent again", () =>
    Effect.gen(function* () {
      const lost: FaultRule = { method: "POST", fault: { _tag: "Lost" } }
      const simulator = yield* Simulator.make({ site, faults: [lost] })
      const found = yield* probeWith(simulator, makeProbeLogMemory())
      assertOnce(simulator)
      assert.isTrue(found.incomplete)
      assert.strictEqual(value(found, "crawl.default_formats")?.toString(), "markdown")
      assert.strictEqual(value(found, "crawl.estimated_pages"), null)
      assert.match(found.notes.join("\n"), /the answer to "crawl" was lost; job \S+ of the job list is taken for it/)
    })
  )

  it.live("is lost and counts as paid where the list shows no job of it", () =>
    Effect.gen(function* () {
      const lost: FaultRule = { method: "POST", path: "/v1/batch", fault: { _tag: "Lost" } }
      const simulator = yield* Simulator.make({ site, faults: [lost], listing: "shows none" })
      const log = makeProbeLogMemory()
      const found = yield* probeWith(simulator, log)
      assertOnce(simulator)
      assert.isTrue(found.incomplete)
      assert.match(
        found.notes.join("\n"),
        /"batch": the answer to its submission was lost, and the job list shows no job/
      )
      assert.isAtLeast(found.profile.tokens_charged, 3)
    })
  )

  it.live("is sent again where the API has refused it for now", () =>
    Effect.gen(function* () {
      const throttled = { _tag: "Status", status: 429, retryAfter: { as: "seconds", seconds: 0 } } as const
      const simulator = yield* Simulator.make({
        site,
        faults: [{ method: "POST", path: "/v1/map", nth: [1, 2], fault: throttled }]
      })
      const found = yield* probeWith(simulator, makeProbeLogMemory())
      assertOnce(simulator)
      assert.strictEqual(value(found, "map.answer"), "links")
      assert.strictEqual(value(found, "rates.retry_after"), "seconds")
      assert.isFalse(found.incomplete)
    })
  )
})

describe("what a probe costs", () => {
  const costs = Effect.fnUntraced(function* (options: SimulatorOptions, request: Partial<ProbeRequest> = {}) {
    const simulator = yield* Simulator.make({ site, ...options })
    const found = yield* probeWith(simulator, makeProbeLogMemory(), request)
    yield* assertNoneRuns(simulator)
    return { found, simulator }
  })

  it.live("keeps within the bound, and asks less where that is small", () =>
    Effect.gen(function* () {
      for (const tokens of [1, 3, 6, 10]) {
        const { found, simulator } = yield* costs({}, { tokens })
        assert.isAtMost(simulator.charges.tokens, tokens)
        assert.strictEqual(found.profile.tokens_charged >= simulator.charges.tokens, true)
        assert.strictEqual(value(found, "results.page") === null, tokens < 9)
        assert.isFalse(found.incomplete)
      }
    })
  )

  it.live("ends with a crawl that ignores its limit: it is cancelled once it costs more", () =>
    Effect.gen(function* () {
      const { found, simulator } = yield* costs({ crawl: () => crawlHistory(site, { perPoll: 3 }) })
      assert.isAtLeast(simulator.charges.received("DELETE"), 2)
      assert.match(found.notes.join("\n"), /"crawl" was cancelled: it was charged \d+ tokens of the \d it may cost/)
      assert.isTrue(found.incomplete)
    })
  )

  it.live("ends with a job that does not: it is cancelled at its deadline", () =>
    Effect.gen(function* () {
      const { found } = yield* costs(
        { crawl: ({ limit = 1 }) => endless(crawlHistory(site, { perPoll: 3, limit })) },
        { jobDeadline: "20 millis" }
      )
      assert.match(found.notes.join("\n"), /"crawl" was cancelled: it did not end within/)
      assert.isTrue(found.incomplete)
    })
  )

  it.live("is nothing more once the balance is used up", () =>
    Effect.gen(function* () {
      const { found, simulator } = yield* costs({ balance: 2 })
      assert.isTrue(found.outOfBalance)
      assert.isAtMost(simulator.charges.tokens, 3)
      assert.strictEqual(value(found, "errors.unknown_job") === null, false)
    })
  )

  it.live("is stopped with the probe: an interrupted one cancels what it leaves running", () =>
    Effect.gen(function* () {
      const reached = Promise.withResolvers<void>()
      const simulator = yield* Simulator.make({
        site,
        crawl: ({ limit = 1 }) => endless(crawlHistory(site, { perPoll: 1, limit })),
        onRequest: ({ method, url }) =>
          Effect.sync(() => {
            if (method === "GET" && /\/v1\/crawl\/[^/]+\?page=1&page_size=50/.test(url)) reached.resolve()
          })
      })
      const log = makeProbeLogMemory()
      const running = yield* Effect.forkChild(probeWith(simulator, log, { jobDeadline: "1 hour" }))
      yield* Effect.promise(() => reached.promise)
      yield* Fiber.interrupt(running)
      yield* assertNoneRuns(simulator)
    })
  )
})

describe("what a probe finds out", () => {
  it.live("is the same on a bad day", () =>
    Effect.gen(function* () {
      const bad = faultRules({ throttled: 0.04, broken: 0.06, reset: 0.04, truncated: 0.04 }, 1)
      const options: SimulatorOptions = {
        site,
        seed: 5,
        behaves: { defaultFormats: { crawl: ["html"] } },
        listing: "oldest first"
      }
      const calm = yield* probeWith(yield* Simulator.make(options), makeProbeLogMemory())
      const simulator = yield* Simulator.make({ ...options, faults: bad })
      const found = yield* probeWith(simulator, makeProbeLogMemory())
      assertOnce(simulator)
      assert.strictEqual(value(found, "rates.retry_after"), "seconds")
      for (const id of [
        "crawl.default_formats",
        "lists.order",
        "results.page",
        "results.page_size",
        "cancel.ended"
      ] as const) {
        assert.deepStrictEqual(value(found, id), value(calm, id), id)
      }
    })
  )

  it.live("is recorded without the key, texts of pages and addresses of others", () =>
    Effect.gen(function* () {
      const key = "canary-key-0b1f"
      const quoting = { method: "GET", path: /^\/v1\//, change: quoted(key) } as const
      const simulator = yield* Simulator.make({
        site: {
          ...site,
          content: (url) => ({ ...site.content(url), markdown: "canary-text-77", html: "canary-text-78" })
        },
        apiKey: key,
        behaves: { rules: [quoting, { ...quoting, method: "POST" }], headers: { "x-ratelimit-limit": key } }
      })
      const log = makeProbeLogMemory()
      const found = yield* probeWith(simulator, log, { apiKey: simulator.apiKey })
      const written = JSON.stringify([found.profile, found.cassette, log.entries, found.notes])
      assert.notInclude(written, "canary")
      assert.notInclude(written, `${site.url}p/`)
      assert.isAbove(found.cassette.toJSON().exchanges.length, 50)
      assert.isBelow(written.length, 400_000)
    })
  )
})

/** An answer that quotes the key wherever a text or a name can. */
const quoted = (key: string) => (body: unknown) => ({
  ...(body as Record<string, never>),
  code: key,
  error: `Bearer ${key}`,
  version: `v-${key}`,
  [`x-${key}`]: 1,
  [key]: { [key]: [key] }
})
