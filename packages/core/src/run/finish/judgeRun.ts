import { Effect } from "effect"
import type { LedgerError } from "../../ledger/Ledger.ts"
import { findUnmet } from "../../pipeline/Expectations.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { NoContent, type PublishBlocked, QuarantineExceeded, ReadersWouldLose } from "../../pipeline/PublishBlocked.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import { boundSource } from "../../source/sourceKinds.ts"
import type { SinkTarget } from "../acquire/RunContext.ts"
import type { RunTracker, SinkTotals } from "../acquire/RunTracker.ts"
import { retryTransient } from "../deliver/SegmentWriter.ts"
import { type Publishable, withPublication } from "./publishRun.ts"

/** A run that has read its source to its end, before it is published. */
export interface JudgeOptions {
  readonly pipeline: PipelineDefinition
  readonly tracker: RunTracker
  /** The sinks that have taken everything. One that is down is judged when it has. */
  readonly targets: ReadonlyArray<SinkTarget>
  readonly publishable: Publishable
  /** Attempts of a look at a sink beyond the first. */
  readonly times: number
}

/**
 * Fails where a run is not to be published: too many dead letters, an expectation that is not met, or readers who would lose more
 * than half of their pages. Each sink is judged by what it holds over all attempts of the run, and one that does not pass keeps the
 * run from being published in any: readers of two sinks are shown the same run.
 */
export const judgeRun = Effect.fnUntraced(function* ({
  pipeline,
  publishable,
  targets,
  times,
  tracker
}: JudgeOptions): Effect.fn.Return<void, PublishBlocked | SinkError | LedgerError> {
  for (const { name } of targets) {
    const exceeded = findExceeded(pipeline, name, tracker.loaded(name))
    if (exceeded !== undefined) return yield* exceeded
  }
  for (const { name } of targets) {
    const { tally } = tracker.loaded(name)
    const { pages } = tracker.progress
    const unmet =
      pipeline.expect &&
      findUnmet(pipeline.expect, { pages, tally, ...(pipeline.sinks.length > 1 ? { sink: name } : {}) })
    if (unmet !== undefined) return yield* unmet
  }
  for (const { name } of targets) yield* judgeContent(pipeline, name, tracker)
  if (pipeline.allowShrink) return
  for (const { name, session } of targets) {
    if (session.previewPublish === undefined) continue
    const { after, before } = yield* retryTransient(withPublication(session.previewPublish, name, publishable), times)
    if (2 * after >= before) continue
    const limit = boundSource(pipeline.source).limitReached(tracker.jobs)
    const reachedLimit = typeof limit === "number" ? limit : null
    return yield* new ReadersWouldLose({ sink: name, before, after, reachedLimit })
  }
})

/** With fewer pages than this a run without content is published, and says so. */
const minJudgedPages = 20

/** Fails where no page of a run came with content, though it was asked for. Sources of URLs alone, and transforms that may empty pages, are left alone. */
const judgeContent = (
  { source, transforms }: PipelineDefinition,
  sink: string,
  tracker: RunTracker
): Effect.Effect<void, NoContent> =>
  Effect.suspend(() => {
    const { completed, failed, without_content: empty } = tracker.loaded(sink).tally
    if (
      !boundSource(source).hasContent() ||
      !transforms.every(keepsPages) ||
      completed + failed === 0 ||
      empty < completed
    )
      return Effect.void
    if (completed >= minJudgedPages) return Effect.fail(new NoContent({ sink, completed }))
    const sentence =
      completed === 0
        ? `none of the ${failed} pages completed`
        : `none of the ${completed} completed pages came with content`
    tracker.explain(sentence)
    return Effect.logWarning(sentence)
  })

/** Whether a transform leaves completed pages as they are, one by one. */
const keepsPages = ({ config }: PipelineDefinition["transforms"][number]): boolean =>
  typeof config === "object" && config !== null && !Array.isArray(config) && selectOf(config) !== undefined

const selectOf = (config: object): unknown =>
  "select" in config && typeof config.select === "object" && config.select !== null && !("status" in config.select)
    ? config.select
    : undefined

const findExceeded = (
  { quarantine }: PipelineDefinition,
  sink: string,
  { deadLetters, rows }: SinkTotals
): QuarantineExceeded | undefined => {
  if (quarantine === "off") return undefined
  const records = rows.pages + deadLetters
  const { max_share: maxShare, min_records: minRecords } = quarantine
  const isJudged = records >= minRecords || deadLetters === records
  if (!isJudged || deadLetters <= maxShare * records) return undefined
  return new QuarantineExceeded({ sink, deadLetters, records, maxShare })
}
