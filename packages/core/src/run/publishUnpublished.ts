import { Clock, Effect, Schema } from "effect"
import { type Ledger, LedgerError, type RunSummary, UnknownRun } from "../ledger/Ledger.ts"
import type { PipelineDefinition } from "../pipeline/makePipeline.ts"
import type { SinkError } from "../sink/SinkError.ts"
import { connectSinks } from "./acquire/connectSinks.ts"
import { retryTransient } from "./deliver/SegmentWriter.ts"
import { type Publishable, publishRun, withPublication } from "./finish/publishRun.ts"
import { runDefaults } from "./RunOptions.ts"

/** Which run is published. */
export interface PublishUnpublishedOptions {
  readonly runId: string
  readonly ledger?: Ledger
  /** Attempts beyond the first, when a sink broke off. */
  readonly writeRetries?: number
}

/** The run cannot be published: nothing was changed. */
export class PublishRefused extends Schema.TaggedError<PublishRefused>()("PublishRefused", {
  runId: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

/** What publishing a run came to: `already` where readers had been shown it before. */
export interface PublishedRun {
  readonly result: "published" | "already"
  readonly run: RunSummary
}

/**
 * Publishes a run that was loaded whole and ended unpublished, in every sink, or in none where one of them refuses. Asks the API for
 * nothing. Again, it changes nothing; where a process died half-way, it publishes the rest.
 */
export const publishUnpublished = (
  pipeline: PipelineDefinition,
  { ledger: given, runId, writeRetries: times = runDefaults.writeRetries }: PublishUnpublishedOptions
): Effect.Effect<PublishedRun, PublishRefused | SinkError | LedgerError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { connections, ledger } = yield* connectSinks(pipeline, given)
      const [found] = yield* ledger.runs({ runId, limit: 1 })
      if (found === undefined)
        return yield* new LedgerError({ operation: "publish", reason: new UnknownRun({ runId }) })
      const refused = refusalOf(pipeline, found)
      if (refused !== undefined) return yield* new PublishRefused({ runId, detail: refused })
      if (found.receipt?.unpublished === undefined || found.publishedAt !== null) {
        return { result: "already" as const, run: found }
      }

      const run = {
        runId,
        pipeline: pipeline.name,
        configHash: found.configHash,
        startedAt: found.startedAt,
        epoch: found.epoch
      }
      const targets = yield* Effect.forEach(connections, ({ connection, name }) =>
        Effect.map(connection.begin(run), (session) => ({ name, session }))
      )
      const { jobs, loaded } = yield* ledger.state(runId)
      const publishable: Publishable = {
        run,
        ledger,
        source: pipeline.source,
        status: "completed",
        jobs,
        completedIn: (sink) => loaded.get(sink)?.tally.completed ?? 0,
        // It has ended, so nobody holds it; a replay that began it again has raised its epoch.
        assertLease: ledger.renew(run, { holder: "", durationMs: 0 })
      }
      for (const { name, session } of targets) {
        if (session.admitPublish === undefined) continue
        yield* retryTransient(withPublication(session.admitPublish, name, publishable), times)
      }
      yield* publishRun(publishable, { targets, times })
      const publishedAt = yield* Clock.currentTimeMillis
      yield* ledger.published(run, publishedAt)
      return { result: "published" as const, run: { ...found, publishedAt } }
    })
  ).pipe(
    Effect.mapError((error) =>
      error._tag === "SinkError" && error.reason._tag === "Unpublishable"
        ? new PublishRefused({ runId, detail: error.message })
        : error
    ),
    Effect.withSpan("Pipeline.publish", { attributes: { pipeline: pipeline.name } })
  )

const refusalOf = (
  { hash, name }: PipelineDefinition,
  { configHash, pipeline, receipt, runId }: RunSummary
): string | undefined => {
  if (pipeline !== name)
    return `run ${runId} is one of pipeline "${pipeline}", not of "${name}": name that pipeline's file`
  if (receipt === null) return `run ${runId} has not ended: the next run of the pipeline resumes it`
  if (receipt.status === "completed") return undefined
  if (receipt.unpublished === undefined) {
    return `run ${runId} ended as ${receipt.status} (${receipt.reason ?? "no reason kept"}): only a run that was loaded whole can be published`
  }
  if (configHash === hash) return undefined
  return `the pipeline has changed since run ${runId} was loaded: publish it with the file as it was, or let the next run be`
}
