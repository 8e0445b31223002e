import { isTerminal, OutputFormat, ProxyConfig, WaitConfig } from "@sluice/contract"
import { Context, Effect, Layer, Option, Schema, Semaphore } from "effect"
import { type CrawlLog, openCrawlLog } from "./CrawlLog.ts"
import type { CrawlState } from "./CrawlState.ts"
import { makeDirectory, namesIn, pathOf, readText, removePath, type StoreError, writeAtomic } from "./Files.ts"
import { expired, jobFields } from "./Job.ts"
import { ServerSettings } from "./ScraperConfig.ts"
import { StateDir } from "./StateDir.ts"

/** A crawl as it was asked for, with the defaults filled in. */
export const CrawlSpec = Schema.Struct({
  url: Schema.String,
  depth: Schema.Int,
  limit: Schema.Int,
  formats: Schema.Array(OutputFormat),
  sameDomainOnly: Schema.Boolean,
  includeSubdomains: Schema.Boolean,
  proxy: ProxyConfig,
  waitConfig: Schema.NullOr(WaitConfig)
})
export type CrawlSpec = typeof CrawlSpec.Type

/** The manifest of a crawl. The counters are those of the last time it was written: right once it has ended. */
export const CrawlJob = Schema.Struct({
  ...jobFields,
  spec: CrawlSpec,
  counts: Schema.Struct({
    total: Schema.Int,
    completed: Schema.Int,
    failed: Schema.Int,
    cancelled: Schema.Int
  })
})
export type CrawlJob = typeof CrawlJob.Type

/** A crawl that can still change, with what it knows of its pages. */
export interface OpenCrawl {
  readonly log: CrawlLog
  readonly state: CrawlState
}

/** Manifests of all crawls, in memory and on disk. */
export class CrawlStore extends Context.Service<
  CrawlStore,
  {
    readonly jobs: ReadonlyMap<string, CrawlJob>
    /** Makes the directory of a new crawl and writes its manifest; deletes the oldest finished crawls beyond the limit. */
    readonly add: (job: CrawlJob) => Effect.Effect<CrawlLog, StoreError>
    /** Replaces a manifest, in memory at once and then on disk. */
    readonly put: (job: CrawlJob) => Effect.Effect<void, StoreError>
    readonly log: (id: string) => CrawlLog
    readonly nextSeq: () => number
  }
>()("@sluice/scraper/CrawlStore") {
  static readonly layer: Layer.Layer<CrawlStore, StoreError, StateDir | ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const root = pathOf((yield* StateDir).path, "crawl")
      const jobs = new Map<string, CrawlJob>()
      const directory = (id: string) => pathOf(root, id)
      const manifest = (id: string) => pathOf(root, id, "job.json")

      for (const id of yield* namesIn(root)) {
        const text = yield* readText(manifest(id))
        const job = Option.flatMap(text, Schema.decodeUnknownOption(Manifest))
        // Without a manifest the crawl was never answered for: it was cut off while it was made.
        if (Option.isNone(job)) yield* removePath(directory(id))
        else jobs.set(id, job.value)
      }
      let seq = Math.max(0, ...Array.from(jobs.values(), (job) => job.seq))

      const writing = yield* Semaphore.make(1)
      // Writes what is in memory when its turn has come, so an older manifest never replaces a newer one.
      const write = Effect.fnUntraced(function* (id: string) {
        const job = jobs.get(id)
        if (job !== undefined) yield* writeAtomic(manifest(id), yield* Effect.orDie(encodeManifest(job)))
      }, writing.withPermits(1))

      const sweep = Effect.suspend(() =>
        Effect.forEach(
          expired(jobs.values(), settings.retainJobs),
          (job) => {
            jobs.delete(job.id)
            return removePath(directory(job.id))
          },
          { discard: true }
        )
      )
      yield* sweep

      return CrawlStore.of({
        jobs,
        add: Effect.fn("CrawlStore.add")(function* (job) {
          yield* makeDirectory(directory(job.id))
          jobs.set(job.id, job)
          yield* write(job.id)
          yield* sweep
          return openCrawlLog(directory(job.id))
        }),
        put: Effect.fn("CrawlStore.put")(function* (job) {
          jobs.set(job.id, job)
          yield* write(job.id)
        }),
        log: (id) => openCrawlLog(directory(id)),
        nextSeq: () => ++seq
      })
    })
  )
}

const Manifest = Schema.fromJsonString(CrawlJob)
const encodeManifest = Schema.encodeEffect(Manifest)

/** Whether a crawl was left open, or cancelled with pages still in work: both need their log read at start. */
export const isUnfinished = ({ counts, status }: CrawlJob): boolean =>
  !isTerminal(status) || counts.completed + counts.failed + counts.cancelled !== counts.total
