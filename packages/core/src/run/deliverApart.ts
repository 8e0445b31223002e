import { Effect, Exit, Option, Stream } from "effect"
import type { LedgerError } from "../ledger/Ledger.ts"
import type { Segment } from "../record/Segment.ts"
import type { SinkError } from "../sink/SinkError.ts"
import type { KeptSegment } from "../vault/Vault.ts"
import { Backlog } from "./Backlog.ts"
import type { Begun, Target } from "./beginRun.ts"
import type { Delivering } from "./deliverTogether.ts"
import type { Prepared } from "./segmentCommit.ts"
import { retried } from "./segmentWriter.ts"

/** What it takes to let every sink go at its own pace. */
export interface DeliveringApart extends Delivering {
  readonly run: Begun["run"]
  readonly vault: NonNullable<Begun["vault"]>
  /** How often what breaks off is tried again when nothing else goes on. */
  readonly times: number
}

/**
 * Keeps each segment, and lets every sink take them at its own pace: from memory where it keeps up, from the vault where it does
 * not. A sink that fails stops nobody else; answers those that have not taken everything, with what they failed with. What
 * earlier attempts have kept comes first.
 */
export const deliverApart = <E, R>(
  segments: Stream.Stream<Segment, E, R>,
  options: DeliveringApart
): Effect.Effect<ReadonlyMap<string, SinkError>, E | SinkError | LedgerError, R> =>
  Effect.gen(function* () {
    const { run, targets, tell, times, transform, vault, write } = options
    const backlog = new Backlog(vault.maxBytes)
    const release = (kept: KeptSegment) =>
      vault.release === undefined ? Effect.void : retried(vault.release(kept), times)
    const namesOf = (sinks: ReadonlyArray<Target>) => sinks.map(({ name }) => name)

    for (const kept of vault.segments) {
      const lacking = targets.filter(({ landed }) => !landed.has(kept.seq))
      if (lacking.length === 0) yield* release(kept)
      else backlog.add(kept, namesOf(lacking))
    }

    const feed = segments.pipe(
      Stream.mapEffect((segment) =>
        Effect.gen(function* () {
          yield* backlog.room
          const kept = yield* retried(vault.keep(segment), times)
          const prepared = { segment: { ...segment, records: transform(segment.records) }, keys: kept.keys }
          backlog.add(kept, namesOf(targets), prepared)
        })
      ),
      Stream.runDrain
    )

    const isGrowing = () => backlog.isGrowing

    const load = (kept: KeptSegment): Effect.Effect<Prepared, SinkError> => {
      const hot = backlog.hot(kept)
      if (hot !== undefined) return Effect.succeed(hot)
      const { bytes, drift, jobs, keys, seq } = kept
      return Effect.map(retried(vault.read(kept), times, isGrowing), (read) => {
        const records = transform(read)
        const segment = { runId: run.runId, epoch: run.epoch, seq, bytes, jobs, records }
        return { segment: drift.length > 0 ? { ...segment, drift } : segment, keys }
      })
    }

    const carry = (target: Target) =>
      Stream.unfold(undefined, () =>
        Effect.map(backlog.next(target.name), (next) =>
          Option.isNone(next) ? undefined : ([next.value, undefined] as const)
        )
      ).pipe(
        Stream.mapEffect(
          (kept) =>
            Effect.gen(function* () {
              yield* write(target, yield* load(kept), isGrowing)
              if (backlog.taken(kept, target.name)) yield* release(kept)
              yield* tell
            }),
          { concurrency: target.session.concurrency }
        ),
        Stream.runDrain,
        Effect.catchTag("SinkError", (error) =>
          Effect.andThen(
            Effect.logWarning(
              `${error.message}; what it lacks is kept, and it catches up when the run is gone on with`
            ),
            Effect.sync(() => backlog.leave(target.name, error))
          )
        )
      )

    // Whatever becomes of the source: what is kept has been paid for, and lands.
    const fed = Effect.ensuring(
      feed,
      Effect.sync(() => backlog.end())
    )
    const { exit } = yield* Effect.all(
      { exit: Effect.exit(fed), taken: Effect.forEach(targets, carry, { concurrency: "unbounded", discard: true }) },
      { concurrency: "unbounded" }
    )
    if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
    return backlog.out
  })
