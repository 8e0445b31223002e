import { isTerminal } from "@sluice/contract"
import { Cache, Cause, Duration, Effect, Exit, FiberMap, Option, type Schema, type Scope, Semaphore } from "effect"
import { Converter } from "../conversion/Converter.ts"
import { Fetcher } from "../fetching/Fetcher.ts"
import { type JobFilter, jobFolder, matching, newJobId, nowMillis, type OpenJobs } from "../jobs/Job.ts"
import { openRecordFolder } from "../jobs/RecordFolder.ts"
import { keepSwept } from "../jobs/retention.ts"
import { UsageRecorder } from "../jobs/UsageRecorder.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import { StateStore } from "../state/StateStore.ts"
import { type JobEvent, WebhookEvents } from "../webhooks/WebhookEvents.ts"
import { crawlPages, type JobStrategy } from "./PageCrawler.ts"
import { type PageJob, type PageJobView, type PageSlot, pageJob } from "./PageJob.ts"
import { openPageLog, type PageEvent, type PageLog, type PageRow } from "./PageLog.ts"
import { type FoundPage, type JobPage, openPagesOf, type PageCounts, type PageState } from "./PageState.ts"

/** A kind of job of many pages. */
export interface PageJobKind<Spec, Encoded> {
  /** The name of its folder, and what it is called in logs. */
  readonly name: string
  readonly spec: Schema.Codec<Spec, Encoded>
  readonly strategy: (spec: Spec) => JobStrategy
  readonly event: JobEvent<PageJob<Spec>>["event"]
  /** What is told of the end of a job. */
  readonly eventData: (job: PageJobView<Spec>) => Effect.Effect<Readonly<Record<string, unknown>>>
  /** Jobs in work at once; the others stay queued. */
  readonly maxRunning: number
  /** How many pages a job may come to have. */
  readonly mostPages: (spec: Spec, counts: PageCounts) => number
  /** Whether a job has failed all of whose pages have ended. */
  readonly hasFailed: (state: PageState) => boolean
}

/** The jobs of one kind, of all keys. Every call names the owner: another key's jobs do not exist for it. */
export interface PageJobs<Spec> {
  /** Begins a job with the pages that are known from the start, and what the request named that is no page. */
  readonly create: (
    owner: string,
    spec: Spec,
    found: ReadonlyArray<FoundPage>,
    refused: ReadonlyArray<string>
  ) => Effect.Effect<PageJobView<Spec>, StoreError>
  readonly find: (owner: string, id: string) => Option.Option<PageJobView<Spec>>
  readonly list: (owner: string, filter: JobFilter) => ReadonlyArray<PageJobView<Spec>>
  readonly openJobs: (owner: string) => number
  /** How many jobs of all keys wait, and how many are in work. */
  readonly load: () => OpenJobs
  /** The tokens that the jobs of a key may still cost. */
  readonly reserved: (owner: string) => number
  /** Rows in order, pages still queued or in work included, and what was refused. */
  readonly slice: (
    job: PageJob<Spec>,
    page: number,
    size: number
  ) => Effect.Effect<{ readonly slots: ReadonlyArray<PageSlot>; readonly refused: ReadonlyArray<string> }, StoreError>
  /** Cancels an open job; answers how many pages still drain. */
  readonly cancel: (job: PageJob<Spec>) => Effect.Effect<number, StoreError>
}

/** A job that can still change, with what it knows of its pages. */
interface OpenJob {
  readonly log: PageLog
  readonly state: PageState
}

/** Opens the jobs of a kind and resumes unfinished ones. */
export const openPageJobs = Effect.fnUntraced(function* <Spec, Encoded>(
  kind: PageJobKind<Spec, Encoded>
): Effect.fn.Return<
  PageJobs<Spec>,
  StoreError,
  WebhookEvents | Converter | Fetcher | UsageRecorder | ServerSettings | StateStore | Scope.Scope
> {
  type Job = PageJob<Spec>
  const settings = yield* ServerSettings
  const fetcher = yield* Fetcher
  const converter = yield* Converter
  const usage = yield* UsageRecorder
  const webhookEvents = yield* WebhookEvents
  const store = yield* StateStore
  const folder = yield* openRecordFolder<Job, unknown>(store, kind.name, pageJob(kind.spec), jobFolder(settings))
  yield* keepSwept(() => [folder])
  const slots = yield* Semaphore.make(kind.maxRunning)
  const fibers = yield* FiberMap.make<string>()
  const open = new Map<string, OpenJob>()
  const logOf = (id: string) => openPageLog(store, folder.place(id))
  // The pages of finished jobs are read back when they are asked for; a poller asks for the same ones again.
  const finished = yield* Cache.makeWith((id: string) => Effect.tap(logOf(id).load, allEnded), {
    capacity: 8,
    timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : Duration.zero)
  })

  const view = (job: Job): PageJobView<Spec> => {
    const counts = open.get(job.id)?.state.counts() ?? job.counts
    return { ...job, counts, openPages: openPagesOf(counts) }
  }
  const latest = (job: Job): Job => folder.records.get(job.id) ?? job

  const jobEvent: JobEvent<Job> = {
    folder,
    event: kind.event,
    data: (job) => kind.eventData(view(job))
  }

  const count = ({ id, owner }: Job, n: number, row: PageRow) =>
    usage.record({
      owner,
      job: { id, n },
      errorCode: row.status === "completed" ? null : (row.error_code ?? "CONNECTION_ERROR"),
      durationMs: row.metadata.duration_ms ?? 0
    })
  /** Counts what had ended when the last run of the server was cut off before it could count it. */
  const recount = Effect.fnUntraced(function* (job: Job, { log, state }: OpenJob) {
    const known = usage.counted(job.id)
    for (const [index, page] of state.endedPages().entries()) {
      if (index < known) continue
      const row = yield* log.readRow(page.offset, page.size)
      if (Option.isSome(row)) yield* count(job, index + 1, row.value)
    }
  })

  /** Ends a job, unless it was cancelled: then only the counters are brought up to date. */
  const conclude = Effect.fnUntraced(function* (job: Job, { log, state }: OpenJob, broken: boolean) {
    if (broken) state.cancelOpen(true)
    yield* Effect.ignore(log.sync)
    // After the wait for the disk: the job may have been cancelled meanwhile.
    const completedAt = yield* nowMillis
    const known = latest(job)
    const status = broken || kind.hasFailed(state) ? "failed" : "completed"
    const ended = isTerminal(known.status) ? known : ({ ...known, status, completedAt } as const)
    yield* Effect.ensuring(
      webhookEvents.end(jobEvent, { ...ended, counts: state.counts() }),
      Effect.sync(() => open.delete(job.id))
    )
    yield* usage.close(job.id)
  })

  const work = Effect.fnUntraced(function* (job: Job, entry: OpenJob) {
    if (latest(job).status === "queued") yield* folder.put({ ...latest(job), status: "processing" })
    yield* crawlPages({
      strategy: kind.strategy(job.spec),
      ...entry,
      fetcher,
      converter,
      concurrency: settings.pageConcurrency,
      hostConcurrency: settings.hostConcurrency,
      isCancelled: () => latest(job).status === "cancelled",
      ended: (row) => {
        const { completed, failed } = entry.state.counts()
        return count(job, completed + failed, row)
      }
    })
    yield* conclude(job, entry, false)
  })

  const start = (job: Job, entry: OpenJob) => {
    open.set(job.id, entry)
    return FiberMap.run(
      fibers,
      job.id,
      slots
        .withPermits(1)(work(job, entry))
        .pipe(
          Effect.catchCauseIf(
            (cause) => !Cause.hasInterruptsOnly(cause),
            (cause) =>
              Effect.andThen(
                Effect.logDebug(`A ${kind.name} broke down`, cause),
                Effect.ignore(conclude(job, entry, true))
              )
          )
        )
    )
  }

  for (const job of [...folder.records.values()].sort((a, b) => a.seq - b.seq)) {
    if (!isUnfinished(job)) {
      yield* usage.close(job.id)
      yield* webhookEvents.resume(jobEvent, job)
      continue
    }
    const log = logOf(job.id)
    const state = yield* log.load
    yield* recount(job, { log, state })
    if (isTerminal(job.status)) {
      state.cancelOpen(true)
      yield* conclude(job, { log, state }, false)
    } else {
      yield* start(job, { log, state })
    }
  }

  return {
    create: Effect.fn("PageJobs.create")(function* (owner, spec, found, refused) {
      const id = yield* newJobId
      const log = openPageLog(store, yield* folder.prepare(id))
      yield* log.appendEvents([
        ...found.map((page): PageEvent => ({ t: "found", ...page })),
        ...refused.map((url): PageEvent => ({ t: "refused", url }))
      ])
      // Before the manifest, so that a job that was answered for knows its pages.
      yield* log.sync
      const state = yield* log.load
      const job: Job = {
        id,
        owner,
        seq: folder.nextSeq(),
        status: "queued",
        createdAt: yield* nowMillis,
        completedAt: null,
        announce: [],
        spec,
        counts: state.counts()
      }
      yield* folder.add(job)
      yield* start(job, { log, state })
      return view(job)
    }, Effect.uninterruptible),
    find: (owner, id) =>
      Option.fromUndefinedOr(folder.records.get(id)).pipe(
        Option.filter((job) => job.owner === owner),
        Option.map(view)
      ),
    list: (owner, filter) => matching(folder.records.values(), owner, filter).map(view),
    openJobs: (owner) => {
      let count = 0
      for (const job of folder.records.values()) if (job.owner === owner && !isTerminal(job.status)) count++
      return count
    },
    load: () => {
      let queued = 0
      for (const id of open.keys()) if (folder.records.get(id)?.status === "queued") queued++
      return { queued, processing: open.size - queued }
    },
    reserved: (owner) => {
      let tokens = 0
      for (const [id, { state }] of open) {
        const job = folder.records.get(id)
        if (job === undefined || job.owner !== owner) continue
        const counts = state.counts()
        // A cancelled job finds no further pages; those in work are paid for.
        const most = isTerminal(job.status) ? counts.total - counts.cancelled : kind.mostPages(job.spec, counts)
        tokens += Math.max(0, most - usage.counted(id))
      }
      return tokens
    },
    slice: Effect.fn("PageJobs.slice")(function* (job, page, size) {
      const live = open.get(job.id)
      const state = live?.state ?? (yield* Cache.get(finished, job.id))
      const log = live?.log ?? logOf(job.id)
      // Pages are taken as they are now, before anything is read: a job that goes on neither shifts the slice nor ends a page in
      // it whose content was not there to be read.
      const chosen = state.rows.slice((page - 1) * size, page * size).flatMap((id) => {
        const found = state.pages[id]
        return found === undefined ? [] : [{ ...found }]
      })
      const slots = yield* Effect.forEach(chosen, (each) => slotOf(log, state, each), { concurrency: 4 })
      return { slots, refused: state.refused }
    }),
    cancel: Effect.fn("PageJobs.cancel")(function* (job) {
      const entry = open.get(job.id)
      const wasQueued = latest(job).status === "queued"
      const inFlight = entry?.state.cancelOpen(wasQueued) ?? 0
      const counts: PageCounts = entry?.state.counts() ?? job.counts
      const cancelled: Job = { ...latest(job), status: "cancelled", completedAt: yield* nowMillis, counts }
      // One with pages in work has not ended before they have.
      yield* wasQueued ? webhookEvents.end(jobEvent, cancelled) : folder.put(cancelled)
      if (entry !== undefined) yield* entry.log.appendEvents([{ t: "cancelled" }])
      if (wasQueued) {
        yield* FiberMap.remove(fibers, job.id)
        open.delete(job.id)
      }
      return inFlight
    }, Effect.uninterruptible)
  }
})

/** A crash may have kept the last event out of the log; a finished job has no open page all the same. */
const allEnded = (state: PageState) => Effect.sync(() => state.cancelOpen(true))

/** Whether a job was left open, or cancelled with pages still in work: both need their log read at start. */
const isUnfinished = ({ counts, status }: PageJob<unknown>): boolean => !isTerminal(status) || openPagesOf(counts) !== 0

const slotOf = Effect.fnUntraced(function* (
  log: PageLog,
  state: PageState,
  page: JobPage
): Effect.fn.Return<PageSlot, StoreError> {
  const parentUrl = page.parent === null ? null : (state.pages[page.parent]?.url ?? null)
  const row = page.size > 0 ? yield* log.readRow(page.offset, page.size) : Option.none()
  return { page, parentUrl, row: Option.getOrUndefined(row) }
})
