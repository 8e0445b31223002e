import { JobId } from "@sluice/contract"
import { Scraper } from "@sluice/core"
import type { HistoryRow, JobHistory, JobState } from "@sluice/testkit"
import { Clock, DateTime, Deferred, Effect, Layer } from "effect"
import type { Slice } from "../../packages/core/src/api/Scraper.ts"

/** A read as it came in: at which virtual instant, and which poll of the history answered it. */
export interface HistoryRead {
  readonly at: number
  readonly poll: number
}

/** What makes a history come on: every read of it, or virtual time, a poll each so many milliseconds. */
export type Driver = "reads" | { readonly millis: number }

const jobId = JobId.make("11111111-1111-4111-8111-111111111111")
const epoch = DateTime.makeUnsafe(0)

/**
 * An API whose one job is a history, in this process and in virtual time: what the network and the wire add is left out.
 * Answers come at once, so reads of one instant are reads between two pauses.
 */
export class HistoryApi {
  readonly reads: Array<HistoryRead> = []
  readonly jobId = jobId
  submissions = 0
  /** A read that is never answered, counted from 0, and what tells that it was asked for. */
  hanging: { readonly read: number; readonly reached: Deferred.Deferred<void> } | undefined
  readonly #history: JobHistory
  readonly #driver: Driver
  #begunAt: number | undefined

  constructor(history: JobHistory, driver: Driver = "reads") {
    this.#history = history
    this.#driver = driver
  }

  /** The client of it. `urls` are those of a batch, whose rows name their place by the end of their URL. */
  layer(urls: ReadonlyArray<string> = []): Layer.Layer<Scraper> {
    const created_at = epoch
    const completed_at = null
    const made = Effect.sync(() => {
      this.submissions++
      return { jobId, invalidUrls: [] }
    })
    return Layer.mock(Scraper, {
      origin: "https://history.test",
      api: {} as Scraper["Service"]["api"],
      createCrawl: () => made,
      createBatch: () => made,
      getCrawl: (_, slice) =>
        Effect.map(this.#poll(slice), ({ rows, state }) => ({
          job_id: jobId,
          url: "https://moving.test/",
          status: state.status,
          total_pages: state.total,
          completed_pages: state.completed,
          failed_pages: state.failed,
          cancelled_pages: state.cancelled,
          created_at,
          completed_at,
          token_summary: { tokens_charged_total: state.completed, tokens_reserved: 0 },
          results: rows.map(({ depth, errorCode, errorMessage, parentUrl, status, url }) => ({
            url,
            parent_url: parentUrl,
            depth,
            status,
            error_code: errorCode ?? null,
            error_message: errorMessage ?? null,
            links: null
          }))
        })),
      getBatch: (_, slice) =>
        Effect.map(this.#poll(slice), ({ rows, state }) => ({
          job_id: jobId,
          status: state.status,
          total_urls: state.total,
          completed_urls: state.completed,
          failed_urls: state.failed,
          cancelled_urls: state.cancelled,
          pending_urls: 0,
          created_at,
          completed_at,
          token_summary: { tokens_charged_total: state.completed, tokens_reserved: 0 },
          results: rows.map(({ status, url }) => {
            const input_index = placeOf(url)
            return { input_index, url: urls[input_index]!, status }
          })
        }))
    })
  }

  #poll(slice: Slice): Effect.Effect<{ readonly state: JobState; readonly rows: ReadonlyArray<HistoryRow> }> {
    return Effect.gen({ self: this }, function* () {
      const now = yield* Clock.currentTimeMillis
      this.#begunAt ??= now
      const nth = this.reads.length
      const poll = this.#driver === "reads" ? nth : Math.floor((now - this.#begunAt) / this.#driver.millis)
      this.reads.push({ at: now, poll })
      if (this.hanging?.read === nth) {
        yield* Deferred.succeed(this.hanging.reached, undefined)
        return yield* Effect.never
      }
      const state = this.#history.at(poll)
      if (state === undefined) return yield* Effect.die("the histories read here are known throughout")
      const start = (slice.page - 1) * slice.pageSize
      return { state, rows: state.rows.slice(start, start + slice.pageSize) }
    })
  }
}

/** The place of a row among the pages of a moving history. */
export const placeOf = (url: string): number => Number(url.slice(url.lastIndexOf("/") + 1))
