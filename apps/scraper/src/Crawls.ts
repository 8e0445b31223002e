import { type CrawlResult, isTerminal } from "@sluice/contract"
import { Cache, Cause, Context, Duration, Effect, Exit, FiberMap, Layer, Option, Semaphore } from "effect"
import type { CrawlLog } from "./CrawlLog.ts"
import { runCrawl } from "./CrawlRun.ts"
import { type CrawlCounts, type CrawlPage, CrawlState } from "./CrawlState.ts"
import { type CrawlJob, type CrawlSpec, CrawlStore, isUnfinished, type OpenCrawl } from "./CrawlStore.ts"
import { Fetcher } from "./Fetcher.ts"
import type { StoreError } from "./Files.ts"
import { type JobFilter, matching, newJobId, nowMillis } from "./Job.ts"
import { ServerSettings } from "./ScraperConfig.ts"
import type { StateDir } from "./StateDir.ts"

/** A crawl with counters of this moment. */
export type CrawlView = CrawlJob & { readonly openPages: number }

/** The crawls of all keys. Every call names the owner: another key's crawls do not exist for it. */
export class Crawls extends Context.Service<
  Crawls,
  {
    readonly create: (owner: string, spec: CrawlSpec) => Effect.Effect<CrawlJob, StoreError>
    readonly find: (owner: string, id: string) => Option.Option<CrawlView>
    readonly list: (owner: string, filter: JobFilter) => ReadonlyArray<CrawlView>
    readonly openJobs: (owner: string) => number
    /** Rows in the order of discovery, pages still queued or in work included. */
    readonly slice: (job: CrawlJob, page: number, size: number) => Effect.Effect<ReadonlyArray<CrawlResult>, StoreError>
    /** Cancels an open crawl; answers how many pages still drain. */
    readonly cancel: (job: CrawlJob) => Effect.Effect<number, StoreError>
  }
>()("@sluice/scraper/Crawls") {
  static readonly layer: Layer.Layer<Crawls, StoreError, Fetcher | ServerSettings | StateDir> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const store = yield* CrawlStore
      const fetcher = yield* Fetcher
      const slots = yield* Semaphore.make(settings.maxRunningCrawls)
      const fibers = yield* FiberMap.make<string>()
      const open = new Map<string, OpenCrawl>()
      // The pages of finished crawls are read back when they are asked for; a poller asks for the same ones again.
      const finished = yield* Cache.makeWith((id: string) => Effect.tap(store.log(id).load, allEnded), {
        capacity: 8,
        timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : Duration.zero)
      })

      const current = (job: CrawlJob): CrawlJob => {
        const state = open.get(job.id)?.state
        return state === undefined ? job : { ...job, counts: state.counts() }
      }
      const view = (job: CrawlJob): CrawlView => {
        const now = current(job)
        const { cancelled, completed, failed, total } = now.counts
        return { ...now, openPages: total - completed - failed - cancelled }
      }
      const latest = (job: CrawlJob) => store.jobs.get(job.id) ?? job

      /** Ends a crawl, unless it was cancelled: then only the counters are brought up to date. */
      const conclude = Effect.fnUntraced(function* (job: CrawlJob, crawl: OpenCrawl, broken: boolean) {
        if (broken) crawl.state.cancelOpen(true)
        const seed = crawl.state.pages[0]?.status
        const completedAt = yield* nowMillis
        const known = latest(job)
        const status = broken || seed === "failed" ? "failed" : "completed"
        const ended = isTerminal(known.status) ? known : ({ ...known, status, completedAt } as const)
        yield* Effect.ensuring(
          Effect.andThen(Effect.ignore(crawl.log.sync), store.put({ ...ended, counts: crawl.state.counts() })),
          Effect.sync(() => open.delete(job.id))
        )
      })

      const work = Effect.fnUntraced(function* (job: CrawlJob, crawl: OpenCrawl) {
        if (latest(job).status === "queued") yield* store.put({ ...latest(job), status: "processing" })
        yield* runCrawl({
          spec: job.spec,
          state: crawl.state,
          log: crawl.log,
          fetcher,
          concurrency: settings.crawlConcurrency,
          isCancelled: () => latest(job).status === "cancelled"
        })
        yield* conclude(job, crawl, false)
      })

      const start = (job: CrawlJob, crawl: OpenCrawl) => {
        open.set(job.id, crawl)
        return FiberMap.run(
          fibers,
          job.id,
          slots
            .withPermits(1)(work(job, crawl))
            .pipe(
              Effect.catchCauseIf(
                (cause) => !Cause.hasInterruptsOnly(cause),
                (cause) =>
                  Effect.andThen(
                    Effect.logDebug("A crawl broke down", cause),
                    Effect.ignore(conclude(job, crawl, true))
                  )
              )
            )
        )
      }

      for (const job of [...store.jobs.values()].sort((a, b) => a.seq - b.seq)) {
        if (!isUnfinished(job)) continue
        const log = store.log(job.id)
        const state = yield* log.load
        if (isTerminal(job.status)) {
          state.cancelOpen(true)
          yield* store.put({ ...job, counts: state.counts() })
        } else {
          yield* beginIfEmpty(log, state, job.spec)
          yield* start(job, { log, state })
        }
      }

      return Crawls.of({
        create: Effect.fn("Crawls.create")(function* (owner, spec) {
          const job: CrawlJob = {
            id: yield* newJobId,
            owner,
            seq: store.nextSeq(),
            status: "queued",
            createdAt: yield* nowMillis,
            completedAt: null,
            spec,
            counts: { total: 1, completed: 0, failed: 0, cancelled: 0 }
          }
          const log = yield* store.add(job)
          const state = new CrawlState()
          yield* beginIfEmpty(log, state, spec)
          yield* start(job, { log, state })
          return job
        }, Effect.uninterruptible),
        find: (owner, id) =>
          Option.fromUndefinedOr(store.jobs.get(id)).pipe(
            Option.filter((job) => job.owner === owner),
            Option.map(view)
          ),
        list: (owner, filter) => matching(store.jobs.values(), owner, filter).map(view),
        openJobs: (owner) => {
          let count = 0
          for (const job of store.jobs.values()) if (job.owner === owner && !isTerminal(job.status)) count++
          return count
        },
        slice: Effect.fn("Crawls.slice")(function* (job, page, size) {
          const live = open.get(job.id)
          const state = live?.state ?? (yield* Cache.get(finished, job.id))
          const log = live?.log ?? store.log(job.id)
          // Positions are taken before anything is read, so a crawl going on does not shift the slice.
          const chosen = state.rows.slice((page - 1) * size, page * size).flatMap((id) => state.pages[id] ?? [])
          return yield* Effect.forEach(chosen, (row) => rowOf(log, state, row), { concurrency: 4 })
        }),
        cancel: Effect.fn("Crawls.cancel")(function* (job) {
          const crawl = open.get(job.id)
          const wasQueued = latest(job).status === "queued"
          const inFlight = crawl?.state.cancelOpen(wasQueued) ?? 0
          const counts: CrawlCounts = crawl?.state.counts() ?? job.counts
          yield* store.put({ ...latest(job), status: "cancelled", completedAt: yield* nowMillis, counts })
          if (crawl !== undefined) yield* crawl.log.appendEvents([{ t: "cancelled" }])
          if (wasQueued) {
            yield* FiberMap.remove(fibers, job.id)
            open.delete(job.id)
          }
          return inFlight
        }, Effect.uninterruptible)
      })
    })
  ).pipe(Layer.provide(CrawlStore.layer))
}

/** A crash may have kept the last event out of the log; a finished crawl has no open page all the same. */
const allEnded = (state: CrawlState) => Effect.sync(() => state.cancelOpen(true))

/** Puts the seed in, which a crash may have prevented. */
const beginIfEmpty = Effect.fnUntraced(function* (log: CrawlLog, state: CrawlState, spec: CrawlSpec) {
  if (state.pages.length > 0) return
  yield* log.appendEvents([{ t: "found", url: spec.url, parent: null, depth: 1 }])
  state.discover(spec.url, null, 1)
})

const rowOf = Effect.fnUntraced(function* (log: CrawlLog, state: CrawlState, page: CrawlPage) {
  if (page.size > 0) {
    const row = yield* log.readRow(page.offset, page.size)
    if (Option.isSome(row)) return row.value
  }
  const bare: CrawlResult = {
    url: page.url,
    parent_url: page.parent === null ? null : (state.pages[page.parent]?.url ?? null),
    depth: page.depth,
    status: page.status,
    error_code: null,
    error_message: null,
    links: [],
    data: null
  }
  return bare
})
