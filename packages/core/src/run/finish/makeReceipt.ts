import { DateTime, Option } from "effect"
import type { RequestCounter } from "../../api/RequestCounter.ts"
import type { Receipt, RunStatus } from "../../ledger/Receipt.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { blocksPublish, guardOf } from "../../pipeline/PublishBlocked.ts"
import { canonicalHash } from "../../record/canonicalJson.ts"
import { failureHint } from "../../record/failureHint.ts"
import type { FailureCount } from "../../record/PageFailures.ts"
import type { RunContext, SinkTarget } from "../acquire/RunContext.ts"
import type { RunFailure } from "./runStatus.ts"

/** How an attempt of a run ended. */
export interface AttemptEnd {
  readonly status: RunStatus
  readonly reason?: string
  readonly failure: Option.Option<RunFailure>
  /** The requests of this attempt. */
  readonly requests: RequestCounter
  readonly finishedAt: DateTime.DateTime
}

/** The receipt of a run from what its tracker counted. */
export const makeReceipt = (
  { hash, name }: Pick<PipelineDefinition, "hash" | "name">,
  { run, supersedes, targets, tracker }: RunContext,
  { failure, finishedAt, reason, requests, status }: AttemptEnd
): Receipt => {
  const { pages: counted, tokens } = tracker.progress
  const pages = { ...counted, delivered: tracker.committedIn(targets.map(({ name }) => name)) }
  const { failures } = tracker
  const notes = notesOf(status, pages, tracker.notes)
  const blocked = Option.filter(failure, blocksPublish)
  return {
    run_id: run.runId,
    pipeline: name,
    config_hash: hash,
    status,
    started_at: DateTime.formatIso(DateTime.makeUnsafe(run.startedAt)),
    finished_at: DateTime.formatIso(finishedAt),
    jobs: tracker.jobs.map(({ jobId, kind, status, url }) => ({ job_id: jobId, kind, url, status })),
    pages,
    tokens,
    sinks: targets.map(({ kind, name }) => {
      const { deadLetters, rows } = tracker.loaded(name)
      return { name, kind, rows, dead_letters: deadLetters }
    }),
    requests: { ...requests },
    ...(tracker.drift.length === 0 ? {} : { drift: tracker.drift }),
    ...(failures.length === 0 ? {} : { failures: failures.map(withHint) }),
    ...(notes.length === 0 ? {} : { notes }),
    ...(supersedes === undefined ? {} : { supersedes: referenceTo(supersedes) }),
    ...(Option.isNone(blocked)
      ? {}
      : { unpublished: { guard: guardOf(blocked.value), sinks: targets.map(unpublishedIn) } }),
    ...(reason === undefined ? {} : { reason })
  }
}

const withHint = (failure: FailureCount): NonNullable<Receipt["failures"]>[number] => {
  const hint = failureHint(failure.code, failure.http_status)
  return hint === undefined ? failure : { ...failure, hint }
}

const referenceTo = (receipt: Receipt): NonNullable<Receipt["supersedes"]> => ({
  status: receipt.status,
  finished_at: receipt.finished_at,
  sha256: canonicalHash(receipt)
})

/** The notes that explain the counts. A completed run never contradicts itself without one. */
const notesOf = (
  status: RunStatus,
  { delivered, discovered }: Receipt["pages"],
  notes: ReadonlyArray<string>
): ReadonlyArray<string> =>
  status !== "completed" || delivered === discovered || notes.length > 0
    ? notes
    : [`the API counts ${discovered} discovered pages, and ${delivered} were delivered`]

/** What readers see of a run in a sink that did not publish it. */
const unpublishedIn = ({ name, session }: SinkTarget) => ({
  name,
  readers: session.unpublished ?? "it is not published there"
})
