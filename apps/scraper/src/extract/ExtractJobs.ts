import { isTerminal } from "@sluice/contract"
import { Cause, Context, Effect, FiberMap, Layer, Option, Schema, Semaphore } from "effect"
import { type JobFilter, jobFolder, matching, newJobId, nowMillis, type OpenJobs } from "../jobs/Job.ts"
import { openRecordFolder } from "../jobs/RecordFolder.ts"
import { keepSwept } from "../jobs/retention.ts"
import { UsageRecorder } from "../jobs/UsageRecorder.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import { StateStore } from "../state/StateStore.ts"
import { type JobEvent, WebhookEvents } from "../webhooks/WebhookEvents.ts"
import { ExtractJob } from "./ExtractJob.ts"
import { Extractor, type ExtractSpec } from "./Extractor.ts"
import { extractEventData } from "./extractDocuments.ts"

const Content = Schema.Struct({
  markdown: Schema.NullOr(Schema.String),
  html: Schema.NullOr(Schema.String),
  links: Schema.Array(Schema.String)
})

/**
 * The asynchronous extractions of all keys. Synchronous ones are answered and forgotten: nobody has an id to ask with.
 * Those left open by the last run of the server are done again.
 */
export class ExtractJobs extends Context.Service<
  ExtractJobs,
  {
    readonly create: (owner: string, spec: ExtractSpec) => Effect.Effect<ExtractJob, StoreError>
    readonly find: (owner: string, id: string) => Option.Option<ExtractJob>
    readonly list: (owner: string, filter: JobFilter) => ReadonlyArray<ExtractJob>
    readonly openJobs: (owner: string) => number
    /** How many jobs of all keys wait, and how many are in work. */
    readonly load: () => OpenJobs
    /** The tokens that the jobs of a key may still cost. */
    readonly reserved: (owner: string) => number
    /** The content of a completed job; none if it is gone from the disk. */
    readonly content: (job: ExtractJob) => Effect.Effect<Option.Option<typeof Content.Type>, StoreError>
  }
>()("@sluice/scraper/extract/ExtractJobs") {
  static readonly layer: Layer.Layer<
    ExtractJobs,
    StoreError,
    WebhookEvents | Extractor | UsageRecorder | ServerSettings | StateStore
  > = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const extractor = yield* Extractor
      const usage = yield* UsageRecorder
      const webhookEvents = yield* WebhookEvents
      const state = yield* StateStore
      const slots = yield* Semaphore.make(settings.maxRunningExtractions)
      const fibers = yield* FiberMap.make<string>()
      const folder = yield* openRecordFolder(state, "extract", ExtractJob, jobFolder(settings))
      yield* keepSwept(() => [folder])
      const jobs = folder.records
      const contentFile = (id: string) => `${folder.place(id)}/content.json`

      const content = (job: ExtractJob) =>
        job.status === "completed"
          ? Effect.map(state.read(contentFile(job.id)), Option.flatMap(Schema.decodeUnknownOption(ContentFile)))
          : Effect.succeedNone
      const jobEvent: JobEvent<ExtractJob> = {
        folder,
        event: "extract_completed",
        data: (job) => Effect.flatMap(content(job), (given) => extractEventData(job, given))
      }
      const end = (job: ExtractJob) => webhookEvents.end(jobEvent, job)

      const work = Effect.fnUntraced(function* (queued: ExtractJob) {
        const job: ExtractJob = { ...queued, status: "processing" }
        // Not written: after a restart queued and processing are the same.
        folder.hold(job)
        const extraction = yield* extractor.extract(job.spec)
        const { facts } = extraction
        yield* usage.record({
          owner: job.owner,
          job: { id: job.id, n: 1 },
          errorCode: extraction._tag === "Extracted" ? null : extraction.failure.code,
          durationMs: facts.durationMs
        })
        if (extraction._tag === "Extracted") {
          yield* state.write(contentFile(job.id), yield* Effect.orDie(encodeContent(extraction.content)))
          yield* end({ ...job, status: "completed", completedAt: yield* nowMillis, facts })
        } else {
          const { code, message, retryable } = extraction.failure
          const error = { code, message, retryable, details: null }
          yield* end({ ...job, status: "failed", completedAt: yield* nowMillis, facts, error })
        }
        yield* usage.close(job.id)
      })

      const fail = Effect.fnUntraced(function* (job: ExtractJob) {
        const error = { code: "INTERNAL_ERROR", message: "The server could not finish this job", retryable: true }
        yield* end({ ...job, status: "failed", completedAt: yield* nowMillis, error })
      })

      const start = (job: ExtractJob) =>
        FiberMap.run(
          fibers,
          job.id,
          slots
            .withPermits(1)(work(job))
            .pipe(
              Effect.catchCauseIf(
                (cause) => !Cause.hasInterruptsOnly(cause),
                (cause) => Effect.andThen(Effect.logDebug("An extraction broke down", cause), Effect.ignore(fail(job)))
              )
            )
        )

      for (const job of [...jobs.values()].sort((a, b) => a.seq - b.seq)) {
        if (isTerminal(job.status)) {
          yield* usage.close(job.id)
          yield* webhookEvents.resume(jobEvent, job)
        } else {
          yield* start(job)
        }
      }

      const openJobs = (owner: string) => {
        let count = 0
        for (const job of jobs.values()) if (job.owner === owner && !isTerminal(job.status)) count++
        return count
      }

      return ExtractJobs.of({
        create: Effect.fn("ExtractJobs.create")(function* (owner, spec) {
          const job: ExtractJob = {
            id: yield* newJobId,
            owner,
            seq: folder.nextSeq(),
            status: "queued",
            createdAt: yield* nowMillis,
            completedAt: null,
            announce: [],
            spec,
            facts: null,
            error: null
          }
          yield* folder.add(job)
          yield* start(job)
          return job
        }, Effect.uninterruptible),
        find: (owner, id) => Option.filter(Option.fromUndefinedOr(jobs.get(id)), (job) => job.owner === owner),
        list: (owner, filter) => matching(jobs.values(), owner, filter),
        openJobs,
        load: () => {
          let [queued, processing] = [0, 0]
          for (const { status } of jobs.values()) {
            if (status === "queued") queued++
            else if (status === "processing") processing++
          }
          return { queued, processing }
        },
        reserved: openJobs,
        content
      })
    })
  )
}

const ContentFile = Schema.fromJsonString(Content)
const encodeContent = Schema.encodeEffect(ContentFile)
