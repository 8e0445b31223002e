import { CrawlCancelled, isTerminal } from "@sluice/contract"
import { Effect } from "effect"
import { isMembers } from "../api/answerFrame.ts"
import { jobState } from "../api/jobState.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { looseInteger } from "../record/looseValues.ts"
import type { ApiRequest } from "./ApiAnswer.ts"
import { errorShape, inShort } from "./errorShape.ts"
import { untilListed } from "./jobRows.ts"
import { memberDrift } from "./memberDrift.ts"
import type { ProbeLogError } from "./ProbeLog.ts"
import { allotments } from "./ProbeOptions.ts"
import type { Session } from "./Session.ts"
import { submitOnce } from "./submitOnce.ts"
import { cancelJob, jobRequest, watchJob } from "./watchJob.ts"

const step = "cancelled crawl"
const questions = ["cancel.answer", "cancel.members", "cancel.reserved", "cancel.twice"] as const

/** Crawls one page, cancels that at once and again, and sees how long the list of jobs takes to show it. */
export const askCancel = Effect.fn("Probe.askCancel")(function* (
  session: Session
): Effect.fn.Return<void, ScraperError | ProbeLogError> {
  const { answers, client, open, options } = session
  const sent = yield* submitOnce(session, {
    step,
    kind: "crawl",
    allotted: allotments[step],
    body: { url: options.target, limit: 1, depth: 1 }
  })
  const ofList = ["lists.lag_reads", "lists.lag_ms", "lists.shows_jobs"] as const
  if (sent._tag === "Unasked") return answers.leaveOpen(sent.why, ...questions, ...ofList)
  if (sent.jobId === null) return answers.leaveOpen(`it made no job: HTTP ${sent.status}`, ...questions, ...ofList)
  const job = { kind: "crawl", jobId: sent.jobId, adopted: sent.adopted } as const
  const cancel: ApiRequest = { method: "DELETE", path: `/v1/crawl/${encodeURIComponent(sent.jobId)}` }
  if (sent.resumed || sent.adopted) {
    answers.leaveOpen(
      "an earlier process has asked it, and its answers are lost",
      ...questions,
      "lists.lag_reads",
      "lists.lag_ms"
    )
  } else yield* askTwice(session, cancel)
  if (sent.adopted) yield* watchJob(session, step, job, allotments[step])
  else if (open.has(step)) yield* cancelJob(session, step, job)
  const lag = yield* untilListed(session, step, "crawl", sent.jobId)
  answers.see(
    "lists.shows_jobs",
    lag !== undefined,
    lag === undefined ? `not in ${options.lagReads} reads` : "GET /v1/crawl/jobs"
  )
  if (lag === undefined) return answers.leaveOpen("the list never showed the job", "lists.lag_reads", "lists.lag_ms")
  answers.see("lists.lag_reads", lag.reads, `${lag.reads} reads missed a new crawl`)
  const intent = session.log.entries.findLast((entry) => entry.entry === "intent" && entry.step === step)
  const millis = Math.max(0, Math.round(lag.at - (intent?.entry === "intent" ? intent.at : lag.at)))
  answers.see("lists.lag_ms", millis, `listed at most ${millis} ms after it was submitted`)
  const { status } = yield* client.ask(step, jobRequest(job))
  if (status === 404) session.notes.push("a cancelled crawl cannot be read any more")
})

const askTwice = Effect.fnUntraced(function* (session: Session, cancel: ApiRequest) {
  const { answers, client } = session
  const first = yield* client.ask(step, cancel)
  if (first.status >= 300) {
    return answers.leaveOpen(`it had ended before: ${inShort(errorShape(first))}`, ...questions)
  }
  const word = isMembers(first.body) && typeof first.body.status === "string" ? first.body.status : ""
  if (/^[\w -]{1,32}$/.test(word)) answers.see("cancel.answer", word, `DELETE: HTTP ${first.status}`)
  else answers.leaveOpen(`its answer names no state: HTTP ${first.status}`, "cancel.answer")
  const drift = memberDrift([first.body], CrawlCancelled.fields)
  answers.see("cancel.members", drift, "the answer to DELETE /v1/crawl")
  const again = errorShape(yield* client.ask(step, cancel))
  answers.see("cancel.twice", again, inShort(again))
  const { body, status } = yield* client.ask(step, { ...cancel, method: "GET" })
  const summary = status < 300 && isMembers(body) && isMembers(body.token_summary) ? body.token_summary : {}
  const reserved = looseInteger(summary.tokens_reserved, false)
  if (typeof reserved !== "number" || !isMembers(body) || !isTerminal(jobState(body.status, body.completed_at))) {
    return answers.leaveOpen("its counters do not say", "cancel.reserved")
  }
  answers.see("cancel.reserved", reserved, "tokens_reserved of the cancelled crawl")
})
