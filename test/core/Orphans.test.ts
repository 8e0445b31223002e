import { assert, describe, it } from "@effect/vitest"
import { Batch, Extract, type Ledger, makeLedgerMemory, Pipeline, type Receipt, Scraper } from "@sluice/core"
import { LedgerError, LedgerUnavailable, MarkFailed } from "@sluice/core/sink"
import { crawlHistory, endless, type FaultRule, type SimulatorOptions } from "@sluice/testkit"
import { Deferred, Effect, Fiber } from "effect"
import { crawl, setting, site, urls } from "./attempts.ts"
import { later } from "./later.ts"
import { backUp, memoryMarks } from "./MemoryMarks.ts"

const hour = 3_600_000

type Given = Parameters<typeof setting>[1]

/** An API, a ledger with its marks outside of it, and what was asked so far. */
const setUp = Effect.fnUntraced(function* (options: SimulatorOptions = {}, given: Given = {}) {
  const made = yield* setting(options, given)
  const marks = memoryMarks()
  const { charges } = made.simulator
  return {
    ...made,
    marks,
    attempt: (options: Parameters<typeof made.attempt>[0] = {}) => made.attempt({ marks: marks.options, ...options }),
    posts: () => charges.received("POST"),
    lists: () => charges.requests.filter(({ url }) => /\/jobs\b/.test(url)).length,
    /** As another process does that has the same key. */
    asksElsewhere: (request: Partial<typeof crawl.crawl> = {}) =>
      Effect.flatMap(Scraper, (scraper) => scraper.createCrawl({ ...crawl.crawl, ...request })).pipe(
        Effect.provide(made.layer),
        Effect.map(({ jobId }) => jobId)
      )
  }
})

const assertHalted = (receipt: Receipt, ...words: ReadonlyArray<string>): void => {
  assert.strictEqual(receipt.status, "halted", receipt.reason)
  for (const word of words) assert.include(receipt.reason, word)
}

const assertWhole = (receipt: Receipt, pages = 90): void => {
  assert.strictEqual(receipt.status, "completed", receipt.reason)
  assert.strictEqual(receipt.pages.delivered, pages)
}

/** A list that is not offered, however often it is asked for. */
const noList = (status: number): FaultRule => ({
  method: "GET",
  path: "/v1/crawl/jobs",
  fault: { _tag: "Status", status }
})

describe("a ledger that is empty", () => {
  it.live("asks the job list once, and its run completes", () =>
    Effect.gen(function* () {
      const { attempt, lists, posts } = yield* setUp()
      assertWhole((yield* attempt()).receipt)
      assert.deepStrictEqual([lists(), posts()], [1, 1])
      assertWhole((yield* attempt()).receipt)
      assert.deepStrictEqual([lists(), posts()], [1, 2])
    })
  )

  it.live("halts where its job still runs, names it, and lands it with one POST in all once it is adopted", () =>
    Effect.gen(function* () {
      let isBusy = true
      const whole = crawlHistory(site, { perPoll: 20 })
      const busy = endless(whole)
      const { attempt, posts, simulator, sink } = yield* setUp({
        crawl: () => ({ at: (poll) => (isBusy ? busy : whole).at(poll) })
      })
      const read = yield* Deferred.make<void>()
      const running = yield* Effect.forkChild(
        attempt({
          onProgress: ({ pages }) =>
            pages.delivered > 0 ? Effect.asVoid(Deferred.succeed(read, undefined)) : Effect.void
        })
      )
      yield* Deferred.await(read)
      yield* Fiber.interrupt(running)
      isBusy = false

      const ledger = makeLedgerMemory()
      const [job] = simulator.charges.jobs
      const halted = yield* attempt({ ledger })
      assertHalted(halted.receipt, "lacks run", "no run explains", `${job!.jobId} (processing, made 20`)
      // By itself nothing changes.
      assertHalted((yield* attempt({ ledger })).receipt, job!.jobId)
      const resume = { runId: halted.receipt.run_id }
      const adopted = yield* attempt({ ledger, resume, decision: { adopt: job!.jobId } })
      assertWhole(adopted.receipt)
      assert.strictEqual(sink.pages.size, 90)
      assert.deepStrictEqual([posts(), simulator.charges.jobs.length], [1, 1])
      // The next run knows the job, and is not kept from paying for its own.
      assertWhole((yield* attempt({ ledger })).receipt)
      assert.strictEqual(posts(), 2)
    })
  )

  it.live("without a mark halts all the same where the job has ended of late, and not much later", () =>
    Effect.gen(function* () {
      const { attempt, posts, simulator } = yield* setUp()
      const without = { ledger: "none", places: [] }
      assertWhole((yield* attempt({ marks: without })).receipt)
      const empty = () => ({ ledger: makeLedgerMemory(), marks: without })
      const [job] = simulator.charges.jobs
      assertHalted((yield* attempt(empty())).receipt, "knows no job of pipeline", `${job!.jobId} (completed`)
      assertHalted((yield* attempt(empty()).pipe(later(11 * hour))).receipt, job!.jobId)
      assert.strictEqual(posts(), 1)
      assertWhole((yield* attempt(empty()).pipe(later(13 * hour))).receipt)
      assert.strictEqual(posts(), 2)
    })
  )

  it.live("pays where it is told to, once and for all of the run", () =>
    Effect.gen(function* () {
      for (const decided of ["resubmit", "fresh"] as const) {
        const { asksElsewhere, attempt, lists, posts } = yield* setUp({
          // The first attempt after the decision breaks off.
          faults: [{ method: "GET", nth: [2, 3, 4, 5, 6, 7], fault: { _tag: "Status", status: 503 } }]
        })
        yield* asksElsewhere()
        const halted = yield* attempt()
        assertHalted(halted.receipt)
        const broken = yield* attempt(
          decided === "fresh" ? { resume: "never" } : { resume: { runId: halted.receipt.run_id }, decision: "resubmit" }
        )
        assert.strictEqual(broken.receipt.status, "failed")
        assert.strictEqual(posts(), 2)
        const asked = lists()
        assertWhole((yield* attempt()).receipt)
        assert.deepStrictEqual([posts(), lists()], [2, asked])
      }
    })
  )

  it.live(
    "is no matter of a job of another request, of one without a page, or of a run that another pipeline explains",
    () =>
      Effect.gen(function* () {
        const { asksElsewhere, attempt, layer, ledger, posts } = yield* setUp()
        yield* asksElsewhere({ formats: ["html"] })
        yield* asksElsewhere({ url: "https://other.test/" })
        const cancelled = yield* asksElsewhere()
        yield* Effect.provide(
          Effect.flatMap(Scraper, (scraper) => scraper.cancelCrawl(cancelled)),
          layer
        )
        // A pipeline of another name in the same ledger has asked for just this.
        const run = yield* ledger.begin(
          { pipeline: "other", configHash: "c", startedAt: 1 },
          { holder: "a/1/b", durationMs: 60_000 }
        )
        const submission = {
          ordinal: 0,
          kind: "crawl" as const,
          url: crawl.crawl.url,
          requestHash: "h",
          submittedAt: 1
        }
        yield* ledger.recordIntent(run, { ...submission, tokens: 1 })
        yield* ledger.recordJob(run, 0, yield* asksElsewhere())
        assertWhole((yield* attempt()).receipt)
        assert.strictEqual(posts(), 5)
      })
  )

  it.live("goes on and says so where the API offers no usable list", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [SimulatorOptions, string]> = [
        [{ faults: [noList(404)] }, "does not know it"],
        [{ faults: [noList(501)] }, "(501)"],
        [{ faults: [{ ...noList(200), fault: { _tag: "WrongTypes" } }] }, "does not fit the contract"]
      ]
      for (const [options, words] of cases) {
        const { attempt, lists, posts } = yield* setUp(options)
        const { receipt } = yield* attempt()
        assertWhole(receipt)
        assert.include(
          receipt.notes?.join(),
          "the API's job list cannot tell whether its crawl jobs have been paid for"
        )
        assert.include(receipt.notes?.join(), words)
        assert.strictEqual(posts(), 1)
        // What a proxy may have answered is asked again; what the API does not have, once.
        if (options.faults?.[0]?.fault._tag === "Status") assert.strictEqual(lists(), 1)
      }
    })
  )

  it.live("pays nothing where the list cannot be read for an outage", () =>
    Effect.gen(function* () {
      const { attempt, posts } = yield* setUp({ faults: [noList(503)] })
      const { receipt } = yield* attempt()
      assert.strictEqual(receipt.status, "failed")
      assert.strictEqual(posts(), 0)
    })
  )

  it.live("that only lasts as long as the process is not doubted", () =>
    Effect.gen(function* () {
      const { asksElsewhere, lists, pipeline, layer } = yield* setUp()
      yield* asksElsewhere()
      assertWhole(yield* Pipeline.run(pipeline, { reader: { pollMin: "1 millis" } }).pipe(Effect.provide(layer)))
      assert.strictEqual(lists(), 0)
    })
  )
})

describe("a ledger that is older than its mark", () => {
  /** A run, a backup of its ledger, another run, and the backup restored. */
  const restored = Effect.fnUntraced(function* (options: SimulatorOptions = {}, given: Given = {}) {
    const made = yield* setUp(options, given)
    assertWhole((yield* made.attempt()).receipt)
    const restore = backUp(made.ledger)
    const lost = (yield* made.attempt()).receipt
    assertWhole(lost)
    restore()
    return { ...made, lost }
  })

  it.live("halts before it pays, and lands the job of the run it lacks", () =>
    Effect.gen(function* () {
      const { attempt, lost, posts, simulator } = yield* restored()
      const halted = yield* attempt()
      const jobId = simulator.charges.jobs[1]!.jobId
      assertHalted(halted.receipt, `lacks run ${lost.run_id}`, jobId)
      assert.notInclude(halted.receipt.reason, simulator.charges.jobs[0]!.jobId)
      const resume = { runId: halted.receipt.run_id }
      const adopted = yield* attempt({ resume, decision: { adopt: jobId } })
      assertWhole(adopted.receipt)
      assert.strictEqual(adopted.receipt.jobs[0]?.job_id, jobId)
      assert.strictEqual(posts(), 2)
      assertWhole((yield* attempt()).receipt)
      assert.strictEqual(posts(), 3)
    })
  )

  it.live("goes on where the API shows no such job any more", () =>
    Effect.gen(function* () {
      const { attempt, posts } = yield* restored()
      assertWhole((yield* attempt().pipe(later(30 * hour))).receipt)
      assert.strictEqual(posts(), 3)
    })
  )

  it.live("halts where the list cannot tell, and adopts or pays as it is told", () =>
    Effect.gen(function* () {
      for (const decided of ["adopt", "resubmit"] as const) {
        const { attempt, posts, simulator } = yield* restored({ faults: [{ ...noList(501), nth: [2, 3] }] })
        const halted = yield* attempt()
        assertHalted(halted.receipt, "lacks run", "job list cannot tell", "(501)")
        const [, second] = simulator.charges.jobs
        const done = yield* attempt({
          resume: { runId: halted.receipt.run_id },
          decision: decided === "adopt" ? { adopt: second!.jobId } : "resubmit"
        })
        assertWhole(done.receipt)
        assert.strictEqual(posts(), decided === "adopt" ? 2 : 3)
      }
    })
  )

  it.live("adopts a job once, also when the process dies as it does", () =>
    Effect.gen(function* () {
      const { attempt, ledger, posts, simulator } = yield* restored()
      const halted = yield* attempt()
      const dying: Ledger = {
        ...ledger,
        recordJob: () =>
          Effect.fail(new LedgerError({ operation: "submitted", reason: new LedgerUnavailable({ cause: "gone" }) }))
      }
      const { jobId } = simulator.charges.jobs[1]!
      const resume = { runId: halted.receipt.run_id }
      const died = yield* attempt({ ledger: dying, resume, decision: { adopt: jobId } })
      assert.strictEqual(died.receipt.status, "failed")
      // The job was made before it was adopted, and is looked for from then on.
      const done = yield* attempt({ adoption: { lag: "5 millis", pause: "1 millis", clockSkew: 0 } })
      assertWhole(done.receipt)
      assert.strictEqual(done.receipt.jobs[0]?.job_id, jobId)
      assert.strictEqual(posts(), 2)
    })
  )

  it.live("resumes a run it knows to have begun as it is, and checks what it has fewer submissions of", () =>
    Effect.gen(function* () {
      // The backup is of a moment when three of twelve extractions had been asked for.
      let restore = () => {}
      let submitted = 0
      const ledger = makeLedgerMemory()
      const counting: Ledger = {
        ...ledger,
        recordJob: (run, ordinal, jobId) =>
          Effect.tap(ledger.recordJob(run, ordinal, jobId), () =>
            Effect.sync(() => {
              if (++submitted === 3) restore = backUp(ledger)
            })
          )
      }
      const { attempt, marks, posts, sink } = yield* setUp({}, { source: Extract.make({ urls, concurrency: 1 }) })
      const first = yield* attempt({ ledger: counting, lease: "300 millis" })
      assertWhole(first.receipt, 12)
      assert.strictEqual(marks.written.at(-1)?.submissions, 12)
      restore()
      const halted = yield* attempt({ ledger })
      assertHalted(halted.receipt, `knows 3 submissions of run ${first.receipt.run_id}, which has made 12`)
      const resume = { runId: halted.receipt.run_id }
      const done = yield* attempt({ ledger, resume, decision: "adopt all" })
      assertWhole(done.receipt, 12)
      assert.strictEqual(sink.pages.size, 12)
      assert.strictEqual(posts(), 12)
    })
  )

  it.live("knows several ledgers of one pipeline by their names", () =>
    Effect.gen(function* () {
      const { attempt, lists, marks, posts } = yield* setUp()
      const other = { ledger: makeLedgerMemory(), marks: { ...marks.options, ledger: "other" } }
      assertWhole((yield* attempt()).receipt)
      // The other one may be ours, moved.
      const halted = yield* attempt(other)
      assertHalted(halted.receipt, "lacks run")
      assertWhole(
        (yield* attempt({ ...other, resume: { runId: halted.receipt.run_id }, decision: "resubmit" })).receipt
      )
      const asked = lists()
      for (const each of [{}, other, {}, other]) assertWhole((yield* attempt(each)).receipt)
      assert.deepStrictEqual([lists(), posts()], [asked, 6])
    })
  )

  it.live("is not noticed where the mark cannot be kept, which hinders no run", () =>
    Effect.gen(function* () {
      const { attempt } = yield* setUp()
      const fail = () => Effect.fail(new MarkFailed({ place: "nowhere", detail: "the file system is read-only" }))
      const marks = { ledger: "main", places: [{ address: "nowhere", read: fail, write: fail }] }
      assertWhole((yield* attempt({ marks })).receipt)
    })
  )
})

describe("jobs that no run explains", () => {
  it.live("are looked for before every run, or before none, as the pipeline says", () =>
    Effect.gen(function* () {
      const checking = yield* setUp({}, { orphans: "check" })
      assertWhole((yield* checking.attempt()).receipt)
      const jobId = yield* checking.asksElsewhere()
      assertHalted((yield* checking.attempt()).receipt, "orphans: check is set", jobId)
      assert.strictEqual(checking.posts(), 2)

      const ignoring = yield* setUp({}, { orphans: "ignore" })
      yield* ignoring.asksElsewhere()
      assertWhole((yield* ignoring.attempt()).receipt)
      assert.deepStrictEqual([ignoring.lists(), ignoring.posts()], [0, 2])
    })
  )

  it.live("are batches of the same URLs, though their list names none", () =>
    Effect.gen(function* () {
      const source = Batch.make({ urls, batch_size: 12 })
      const { attempt, layer, posts, simulator, sink } = yield* setUp({}, { source })
      const elsewhere = (urls: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const scraper = yield* Scraper
          const { jobId } = yield* scraper.createBatch({ urls, formats: ["markdown"] })
          // Read once, as the run that asked for it does.
          yield* scraper.getBatch(jobId, { page: 1, pageSize: 50 })
          return jobId
        }).pipe(Effect.provide(layer))
      yield* elsewhere(urls.map((url) => url.replace("/p/", "/q/")))
      const same = yield* elsewhere(urls)
      const halted = yield* attempt()
      assertHalted(halted.receipt, "has a job of the same request", same)
      const done = yield* attempt({ resume: { runId: halted.receipt.run_id }, decision: { adopt: same } })
      assertWhole(done.receipt, 12)
      assert.strictEqual(sink.pages.size, 12)
      assert.deepStrictEqual([posts(), simulator.charges.jobs.length], [2, 2])
    })
  )

  it.live("are extractions each, which are adopted all at once; synchronous ones are in no list", () =>
    Effect.gen(function* () {
      const { attempt, lists, posts, sink } = yield* setUp({}, { source: Extract.make({ urls, concurrency: 4 }) })
      assertWhole((yield* attempt()).receipt, 12)
      const ledger = makeLedgerMemory()
      const halted = yield* attempt({ ledger })
      assertHalted(halted.receipt, "extract of https://site.test/p/")
      const resume = { runId: halted.receipt.run_id }
      const done = yield* attempt({ ledger, resume, decision: "adopt all" })
      assertWhole(done.receipt, 12)
      assert.strictEqual(sink.pages.size, 12)
      // The list is read once an attempt, however many submissions ask.
      assert.deepStrictEqual([posts(), lists()], [12, 3])

      const sync = yield* setUp({}, { source: Extract.make({ urls, mode: "sync" }) })
      assertWhole((yield* sync.attempt()).receipt, 12)
      assertWhole((yield* sync.attempt({ ledger: makeLedgerMemory() })).receipt, 12)
      assert.strictEqual(sync.lists(), 0)
    })
  )

  it.live("may be several, of which one is chosen by its name", () =>
    Effect.gen(function* () {
      const { asksElsewhere, attempt, posts } = yield* setUp()
      const [first, second] = [yield* asksElsewhere(), yield* asksElsewhere()]
      const halted = yield* attempt()
      assertHalted(halted.receipt, "2 jobs of the same request", first, second)
      const resume = { runId: halted.receipt.run_id }
      assertHalted((yield* attempt({ resume, decision: { adopt: "none-of-them" } })).receipt, first)
      const done = yield* attempt({ resume, decision: { adopt: first } })
      assert.strictEqual(done.receipt.jobs[0]?.job_id, first)
      assert.strictEqual(posts(), 2)
    })
  )
})
