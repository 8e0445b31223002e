import { ExtractJob, ExtractSyncResponse } from "@sluice/contract"
import { Effect } from "effect"
import { isMembers } from "../api/answerFrame.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { looseInteger } from "../record/looseValues.ts"
import { memberDrift } from "./memberDrift.ts"
import type { ProbeLogError } from "./ProbeLog.ts"
import { allotments } from "./ProbeOptions.ts"
import type { Session } from "./Session.ts"
import { submitOnce } from "./submitOnce.ts"
import { watchJob } from "./watchJob.ts"

/** The formats of a page's data that hold something. */
export const formatsOf = (data: unknown): ReadonlyArray<string> =>
  isMembers(data) ? ["markdown", "html"].filter((name) => data[name] !== null && data[name] !== undefined) : []

/** Extracts the page at once and as a job. */
export const askExtract = Effect.fn("Probe.askExtract")(function* (
  session: Session
): Effect.fn.Return<void, ScraperError | ProbeLogError> {
  yield* askAtOnce(session)
  yield* askAsJob(session)
})

const askAtOnce = Effect.fnUntraced(function* (session: Session) {
  const { answers, options, spend } = session
  const step = "extraction at once"
  const sent = yield* submitOnce(session, {
    step,
    kind: "extract",
    allotted: allotments[step],
    body: { url: options.target, processing_mode: "sync" }
  })
  const ids = ["extract.default_formats", "extract.sync_members", "extract.sync_tokens"] as const
  if (sent._tag === "Unasked") return answers.leaveOpen(sent.why, ...ids)
  if (sent.status >= 300) return answers.leaveOpen(`the page could not be extracted: HTTP ${sent.status}`, ...ids)
  session.open.delete(step)
  if (sent.adopted) return answers.leaveOpen("its answer was lost", ...ids)
  const tokens = looseInteger(sent.body.tokens_charged, false)
  if (typeof tokens === "number") {
    // A page that is said to cost nothing counts as one: the bound must hold if it is not so.
    spend.charge(step, Math.max(allotments[step], tokens))
    answers.see("extract.sync_tokens", tokens, "tokens_charged of its answer")
  } else answers.leaveOpen("its answer has no tokens_charged", "extract.sync_tokens")
  const formats = formatsOf(sent.body.data)
  answers.see("extract.default_formats", formats, "POST /v1/extract without formats")
  const drift = memberDrift([sent.body], ExtractSyncResponse.fields, insideOf)
  answers.see("extract.sync_members", drift, `HTTP ${sent.status}`)
})

/** What is inside of an extraction, by the contract. */
const insideOf = {
  data: ExtractSyncResponse.fields.data.fields,
  metadata: ExtractSyncResponse.fields.metadata.fields
}

const askAsJob = Effect.fnUntraced(function* (session: Session) {
  const { answers, open, options, spend } = session
  const step = "extraction as a job"
  const sent = yield* submitOnce(session, {
    step,
    kind: "extract",
    allotted: allotments[step],
    body: { url: options.target, processing_mode: "async", formats: ["markdown"] }
  })
  const ids = ["extract.async_answer", "extract.job_members"] as const
  if (sent._tag === "Unasked") return answers.leaveOpen(sent.why, ...ids)
  if (sent.status >= 300) return answers.leaveOpen(`it was refused: HTTP ${sent.status}`, ...ids)
  const isPage = isMembers(sent.body.data)
  if (sent.adopted) answers.leaveOpen("its answer was lost, and its job found in the list", "extract.async_answer")
  else {
    const answer = sent.jobId === null ? "page" : isPage ? "both" : "job"
    answers.see("extract.async_answer", answer, `HTTP ${sent.status}`)
  }
  const job =
    open.get(step) ??
    (sent.jobId === null ? undefined : ({ kind: "extract", jobId: sent.jobId, adopted: sent.adopted } as const))
  if (job === undefined) {
    const tokens = looseInteger(sent.body.tokens_charged, false)
    if (typeof tokens === "number") spend.charge(step, Math.max(allotments[step], tokens))
    return answers.leaveOpen("it made no job", "extract.job_members")
  }
  const watched = yield* watchJob(session, step, job, allotments[step])
  if (watched.unknownPolls > 0) answers.see("jobs.unknown_polls", watched.unknownPolls, "reads of a new extraction")
  if (watched.end === undefined) return answers.leaveOpen("its job did not end in time", "extract.job_members")
  const drift = memberDrift([watched.end.body], ExtractJob.fields, insideOf)
  answers.see("extract.job_members", drift, "the job once it ended")
})
