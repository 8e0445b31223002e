import { Context, Effect, Layer, Option, Schema, Semaphore } from "effect"
import { pageEnded } from "../metrics/Metrics.ts"
import { ServerSettings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import { StateStore } from "../state/StateStore.ts"
import { nowMillis } from "./Job.ts"
import { UsageEvent, UsageStats } from "./UsageStats.ts"

/** A page that ended. Pages of a job are numbered from 1 in the order of their end; a page of no job has none. */
export interface EndedPage {
  readonly owner: string
  readonly job: { readonly id: string; readonly n: number } | null
  /** Why it failed; null if it was extracted. */
  readonly errorCode: string | null
  readonly durationMs: number
}

/** Lines after which the log is compacted. */
const compactAfter = 20_000

/**
 * Counts the pages that end, for statistics and for the balance of tokens. Each page of a job counts once, over restarts
 * too: a resumed job reports its ended pages again, and those that were counted are ignored.
 */
export class UsageRecorder extends Context.Service<
  UsageRecorder,
  {
    readonly record: (page: EndedPage) => Effect.Effect<void, StoreError>
    /** How many pages of an open job have been counted. */
    readonly counted: (job: string) => number
    /** Ends the counting of a job. To be called once its end is on disk. */
    readonly close: (job: string) => Effect.Effect<void, StoreError>
    readonly stats: Pick<UsageStats, "sum" | "sumBefore" | "days" | "tokensOf">
  }
>()("@sluice/scraper/jobs/UsageRecorder") {
  static readonly layer: Layer.Layer<UsageRecorder, StoreError, ServerSettings | StateStore> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const state = yield* StateStore
      const path = "usage.jsonl"
      const stats = new UsageStats()
      const writing = Semaphore.makeUnsafe(1)
      let lines = 0

      const compact = Effect.gen(function* () {
        const keepFrom = (yield* nowMillis) - settings.retainUsageDays * dayMs
        yield* state.write(path, yield* linesOf(stats.compacted(keepFrom)))
        lines = 0
      })

      for (const line of yield* state.readLines(path)) {
        const event = Schema.decodeOption(Event)(line)
        // Damage that only a power failure can do; what follows it is kept.
        if (Option.isSome(event)) stats.add(event.value)
        lines++
      }
      if (lines > 0) yield* compact

      // The log first: what is in memory is what a restart will know.
      const add = Effect.fnUntraced(function* (event: UsageEvent) {
        yield* state.append(path, yield* linesOf([event]))
        stats.add(event)
        if (++lines >= compactAfter) yield* compact
      })

      return UsageRecorder.of({
        stats,
        counted: (job) => stats.countedOf(job),
        record: Effect.fn("UsageRecorder.record")(function* ({ durationMs, errorCode, job, owner }) {
          if (job !== null && job.n <= stats.countedOf(job.id)) return
          const at = yield* nowMillis
          yield* add({
            t: "page",
            owner,
            job: job?.id ?? null,
            n: job?.n ?? 0,
            at,
            ok: errorCode === null,
            ms: durationMs
          })
          yield* pageEnded(errorCode, durationMs)
        }, writing.withPermits(1)),
        close: Effect.fn("UsageRecorder.close")(function* (job) {
          if (stats.countedOf(job) === 0) return
          yield* add({ t: "closed", job })
          yield* state.sync(path)
        }, writing.withPermits(1))
      })
    })
  )
}

const dayMs = 24 * 3_600_000

const Event = Schema.fromJsonString(UsageEvent)
const encodeEvents = Schema.encodeEffect(Schema.Array(Event))

const linesOf = (events: ReadonlyArray<UsageEvent>) =>
  encodeEvents(events).pipe(
    Effect.orDie,
    Effect.map((lines) => lines.map((line) => `${line}\n`).join(""))
  )
