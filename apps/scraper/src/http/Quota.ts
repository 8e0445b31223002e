import type { PaymentRequired, TooManyRequests } from "@sluice/contract"
import { Context, Effect, Layer } from "effect"
import type { HttpServerRequest } from "effect/http"
import { Batches } from "../batch/Batches.ts"
import { Crawls } from "../crawl/Crawls.ts"
import { ExtractJobs } from "../extract/ExtractJobs.ts"
import { UsageRecorder } from "../jobs/UsageRecorder.ts"
import { refusedFor } from "../metrics/Metrics.ts"
import { ApiKeys } from "./ApiKeys.ts"
import { paymentRequired, tooMany } from "./errorResponse.ts"

/** How much of the limits a key uses now. Without a balance there is nothing left to tell. */
export interface QuotaUsage {
  readonly open_jobs: number
  readonly max_open_jobs: number
  readonly tokens_used: number
  readonly tokens_reserved: number
  readonly tokens_left: number | null
}

/**
 * What a key may have open at once, and what it may spend. What is open reserves the tokens it may come to cost, so that
 * the balance is never overdrawn.
 */
export class Quota extends Context.Service<
  Quota,
  {
    /**
     * Runs what opens one more and may cost up to `tokens`, or fails with 429 or 402. It counts while it runs; a job it
     * leaves behind counts on. What costs nothing is refused too once the balance is used up.
     */
    readonly withOne: <A, E, R>(
      owner: string,
      tokens: number,
      run: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | PaymentRequired | TooManyRequests, R | HttpServerRequest.HttpServerRequest>
    readonly usage: (owner: string) => QuotaUsage
  }
>()("@sluice/scraper/http/Quota") {
  static readonly layer: Layer.Layer<Quota, never, Batches | Crawls | ExtractJobs | ApiKeys | UsageRecorder> =
    Layer.effect(
      this,
      Effect.gen(function* () {
        const { limitsOf } = yield* ApiKeys
        const kinds = [yield* Batches, yield* Crawls, yield* ExtractJobs]
        const { stats } = yield* UsageRecorder
        const running = new Map<string, { readonly count: number; readonly tokens: number }>()
        const runningOf = (owner: string) => running.get(owner) ?? { count: 0, tokens: 0 }
        const add = (owner: string, count: number, tokens: number) =>
          Effect.sync(() => {
            const now = runningOf(owner)
            running.set(owner, { count: now.count + count, tokens: now.tokens + tokens })
          })

        const usage = (owner: string): QuotaUsage => {
          const { maxOpenJobsPerKey, tokenBalance } = limitsOf(owner)
          const { count, tokens } = runningOf(owner)
          const used = stats.tokensOf(owner)
          const reserved = kinds.reduce((sum, kind) => sum + kind.reserved(owner), tokens)
          return {
            open_jobs: kinds.reduce((sum, kind) => sum + kind.openJobs(owner), count),
            max_open_jobs: maxOpenJobsPerKey,
            tokens_used: used,
            tokens_reserved: reserved,
            tokens_left: Number.isFinite(tokenBalance) ? Math.max(0, tokenBalance - used - reserved) : null
          }
        }

        return Quota.of({
          usage,
          withOne: Effect.fnUntraced(function* (owner, tokens, run) {
            const { max_open_jobs, open_jobs, tokens_left } = usage(owner)
            if (open_jobs >= max_open_jobs) {
              yield* refusedFor("open_jobs")
              return yield* tooMany("Concurrency limit reached", retryAfterSeconds)
            }
            if (tokens_left !== null && tokens_left < Math.max(1, tokens)) {
              yield* refusedFor("token_balance")
              return yield* paymentRequired(
                `Not enough tokens left: this may cost up to ${tokens}, and ${tokens_left} are neither used nor reserved`
              )
            }
            return yield* Effect.acquireUseRelease(
              add(owner, 1, tokens),
              () => run,
              () => add(owner, -1, -tokens)
            )
          })
        })
      })
    )
}

/** A guess: jobs do not tell when they end. */
const retryAfterSeconds = 5
