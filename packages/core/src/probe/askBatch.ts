import { BatchAnswer, BatchResult, ItemMetadata } from "@sluice/contract"
import { Effect } from "effect"
import type { ScraperError } from "../api/ScraperError.ts"
import { looseInteger } from "../record/looseValues.ts"
import { formatsOf } from "./askExtract.ts"
import { memberDrift } from "./memberDrift.ts"
import type { ProbeLogError } from "./ProbeLog.ts"
import { allotments } from "./ProbeOptions.ts"
import type { Session } from "./Session.ts"
import { isSameAddress, submitOnce } from "./submitOnce.ts"
import { watchJob } from "./watchJob.ts"

const noUrl = "no url"

/** Has the page extracted twice in one batch, beside something that is no URL. */
export const askBatch = Effect.fn("Probe.askBatch")(function* (
  session: Session
): Effect.fn.Return<void, ScraperError | ProbeLogError> {
  const { answers, options } = session
  const step = "batch"
  const sent = yield* submitOnce(session, {
    step,
    kind: "batch",
    allotted: allotments[step],
    body: { urls: [options.target, options.target, noUrl] }
  })
  const ofJob = ["batch.duplicates", "batch.default_formats", "batch.members", "batch.result_members"] as const
  if (sent._tag === "Unasked") return answers.leaveOpen(sent.why, "batch.invalid_urls", ...ofJob)
  if (sent.status >= 300) {
    answers.see("batch.invalid_urls", "request refused", `HTTP ${sent.status} for a batch with a text that is no URL`)
    return answers.leaveOpen("the batch was refused", ...ofJob)
  }
  const { invalid_urls: invalid } = sent.body
  const accepted = looseInteger(sent.body.accepted_urls, false)
  if (sent.adopted) answers.leaveOpen("its answer was lost, and its job found in the list", "batch.invalid_urls")
  else if (!Array.isArray(invalid) || invalid.length === 0) {
    answers.see(
      "batch.invalid_urls",
      "none",
      `none named; accepted_urls ${typeof accepted === "number" ? accepted : "absent"} of 3`
    )
  } else {
    const isText = invalid.every((element) => typeof element === "string")
    answers.see("batch.invalid_urls", isText ? "texts" : "objects", `${invalid.length} named`)
  }
  if (sent.jobId === null) return answers.leaveOpen("its answer names no job", ...ofJob)
  const watched = yield* watchJob(
    session,
    step,
    { kind: "batch", jobId: sent.jobId, adopted: sent.adopted },
    allotments[step]
  )
  if (watched.unknownPolls > 0) answers.see("jobs.unknown_polls", watched.unknownPolls, "reads of a new batch")
  const { end } = watched
  if (end === undefined) return answers.leaveOpen("its job did not end in time", ...ofJob)
  const drift = memberDrift([end.body], BatchAnswer.fields, { token_summary: BatchAnswer.fields.token_summary.fields })
  answers.see("batch.members", drift, "the batch once it ended")
  if (end.rows.length === 0) {
    return answers.leaveOpen("it listed no result", "batch.duplicates", "batch.default_formats", "batch.result_members")
  }
  const same = end.rows.filter(({ url }) => typeof url === "string" && isSameAddress(url, options.target))
  const total = looseInteger(end.body.total_urls, false)
  if (same.length > 1) answers.see("batch.duplicates", true, `${same.length} results of one URL`)
  else if (end.rows.length === total && same.length === 1)
    answers.see("batch.duplicates", false, "one result of two equal URLs")
  else answers.leaveOpen("its results were not listed whole", "batch.duplicates")
  const completed = end.rows.filter(({ data }) => formatsOf(data).length > 0)
  if (completed.length === 0) answers.leaveOpen("none of its results has content", "batch.default_formats")
  else answers.see("batch.default_formats", formatsOf(completed[0]?.data), "POST /v1/batch without formats")
  const ofRows = memberDrift(end.rows, BatchResult.fields, { metadata: ItemMetadata.fields })
  answers.see("batch.result_members", ofRows, `${end.rows.length} results`)
})
