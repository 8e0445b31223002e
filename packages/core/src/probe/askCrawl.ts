import { CrawlAccepted, CrawlAnswer, CrawlResult, ItemMetadata, isTerminal } from "@sluice/contract"
import { Effect } from "effect"
import { isMembers, type Members } from "../api/answerFrame.ts"
import { jobState } from "../api/jobState.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { looseInteger } from "../record/looseValues.ts"
import { formatsOf } from "./askExtract.ts"
import { askSlices } from "./askSlices.ts"
import { errorShape, inShort } from "./errorShape.ts"
import { memberDrift } from "./memberDrift.ts"
import type { ProbeLogError } from "./ProbeLog.ts"
import type { QuestionId } from "./Question.ts"
import { hasRepeats, rowOrder } from "./rowOrder.ts"
import type { OpenJob, Session } from "./Session.ts"
import { sanitizeJson } from "./sanitizeJson.ts"
import { isSameAddress, submitOnce } from "./submitOnce.ts"
import { type Look, type Watched, watchJob } from "./watchJob.ts"

const step = "crawl"
/** The fewest pages that say something about their order. */
const leastPages = 3
/** The most pages of a crawl: more say no more, and all fit on one slice. */
const mostPages = 50

const ofAnswer = ["crawl.accepted_members", "crawl.estimated_pages"] as const
const ofJob: ReadonlyArray<QuestionId> = [
  "crawl.members",
  "crawl.result_members",
  "crawl.default_formats",
  "crawl.defaults",
  "crawl.seed_depth",
  "crawl.limit_kept",
  "crawl.reserved",
  "results.order",
  "results.pending_rows",
  "results.repeated_rows",
  "results.page",
  "results.page_size",
  "results.past_end",
  "results.page_size_over_50",
  "cancel.ended"
]

/** Crawls the pages that the bound leaves, looks at them while they end, and then at every slice of them. */
export const askCrawl = Effect.fn("Probe.askCrawl")(function* (
  session: Session
): Effect.fn.Return<void, ScraperError | ProbeLogError> {
  const { answers, client, options, spend } = session
  const limit = Math.min(mostPages, Math.max(leastPages, spend.left))
  const sent = yield* submitOnce(session, {
    step,
    kind: "crawl",
    allotted: limit,
    body: { url: options.target, limit }
  })
  if (sent._tag === "Unasked") return answers.leaveOpen(sent.why, ...ofAnswer, ...ofJob)
  if (sent.adopted) answers.leaveOpen("its answer was lost, and its job found in the list", ...ofAnswer)
  else describeAcceptance(session, sent.body, sent.resumed ? undefined : limit)
  if (sent.jobId === null) return answers.leaveOpen(`it made no job: HTTP ${sent.status}`, ...ofJob)
  const job: OpenJob = { kind: "crawl", jobId: sent.jobId, adopted: sent.adopted }
  const watched = yield* watchJob(session, step, job, limit)
  if (watched.unknownPolls > 0) answers.see("jobs.unknown_polls", watched.unknownPolls, "reads of a new crawl")
  else answers.see("jobs.unknown_polls", 0, "reads of new jobs")
  describeMotion(session, watched)
  if (watched.end === undefined) return answers.leaveOpen("its job did not end in time", ...ofJob)
  const rows = yield* askSlices(session, step, job, watched.end)
  describeEnd(session, watched.end, rows, limit)
  const again = errorShape(
    yield* client.ask(step, { method: "DELETE", path: `/v1/crawl/${encodeURIComponent(sent.jobId)}` })
  )
  answers.see("cancel.ended", again, inShort(again))
})

const describeAcceptance = ({ answers }: Session, body: Members, limit: number | undefined) => {
  const drift = memberDrift([body], CrawlAccepted.fields)
  answers.see("crawl.accepted_members", drift, "the answer to POST /v1/crawl")
  const { estimated_pages: told } = body
  const estimate = looseInteger(told, false)
  if (told === undefined || told === null) answers.see("crawl.estimated_pages", "absent", "no estimated_pages")
  else if (limit === undefined) answers.leaveOpen("an earlier process has asked it", "crawl.estimated_pages")
  else answers.see("crawl.estimated_pages", estimate === limit ? "limit" : "other", `for a limit of ${limit}`)
}

/** What a row is known by: a page, or its place where it does not say. */
const keyOf = (row: Members, at: number): string => (typeof row.url === "string" ? row.url : `#${at}`)

const stateOfRow = (row: Members) => jobState(row.status, null)

const describeMotion = ({ answers }: Session, { looks }: Watched) => {
  const running = looks.filter(({ isEnded, rows }) => !isEnded && rows.length > 0)
  const lists = running.map(({ rows }) => rows.map(keyOf))
  const evidence = `${running.length} looks at the running crawl with results`
  const order = rowOrder(lists)
  if (order !== undefined) answers.see("results.order", order, evidence)
  else answers.leaveOpen(`${evidence}: none brought a new one`, "results.order")
  if (running.length === 0) {
    return answers.leaveOpen(evidence, "results.pending_rows", "results.repeated_rows", "crawl.reserved")
  }
  const pending = running.some(({ rows }) => rows.some((row) => !isTerminal(stateOfRow(row))))
  if (pending) answers.see("results.pending_rows", true, evidence)
  else answers.conclude("results.pending_rows", false, evidence)
  const repeats = hasRepeats(lists)
  if (repeats) answers.see("results.repeated_rows", true, evidence)
  else if (lists.every(({ length }) => length < 2))
    answers.leaveOpen(`${evidence}, one at a time`, "results.repeated_rows")
  else answers.conclude("results.repeated_rows", false, evidence)
  const told = running.flatMap(({ body }) => reservedOf(body))
  if (told.length === 0) answers.leaveOpen("its counters do not say", "crawl.reserved")
  else
    answers.see(
      "crawl.reserved",
      told.every(({ open, reserved }) => open === reserved),
      `${told.length} looks at the counters`
    )
}

/** Reserved tokens beside pages that have not ended, where both are told. */
const reservedOf = ({
  cancelled_pages: cancelled,
  completed_pages: completed,
  failed_pages: failed,
  token_summary: summary,
  total_pages: total
}: Members) => {
  const [all, ...ended] = [total, completed, failed, cancelled].map((count) => looseInteger(count, false))
  const reserved = isMembers(summary) ? looseInteger(summary.tokens_reserved, false) : null
  const sum = ended.reduce<number>((so, count) => (typeof count === "number" ? so + count : Number.NaN), 0)
  return typeof all === "number" && typeof reserved === "number" && !Number.isNaN(sum)
    ? [{ open: all - sum, reserved }]
    : []
}

const describeEnd = (session: Session, { body }: Look, rows: ReadonlyArray<Members>, limit: number) => {
  const { answers, cassette, options } = session
  const drift = memberDrift([body], CrawlAnswer.fields, { token_summary: CrawlAnswer.fields.token_summary.fields })
  answers.see("crawl.members", drift, "the crawl once it ended")
  const completed = looseInteger(body.completed_pages, false)
  if (typeof completed === "number")
    answers.see("crawl.limit_kept", completed <= limit, `${completed} pages of a limit of ${limit}`)
  else answers.leaveOpen("its counters do not say", "crawl.limit_kept")
  const config = isMembers(body.crawl_config) ? body.crawl_config : undefined
  if (config === undefined) answers.leaveOpen("it echoes no configuration", "crawl.defaults")
  else
    answers.see(
      "crawl.defaults",
      membersOf(sanitizeJson(config, cassette.rules)),
      "crawl_config of a crawl that named none of them"
    )
  if (rows.length === 0) {
    return answers.leaveOpen("it listed no result", "crawl.result_members", "crawl.default_formats", "crawl.seed_depth")
  }
  const ofRows = memberDrift(rows, CrawlResult.fields, { metadata: ItemMetadata.fields })
  answers.see("crawl.result_members", ofRows, `${rows.length} results`)
  const formats = rows.map(({ data }) => formatsOf(data)).find(({ length }) => length > 0)
  if (formats === undefined) answers.leaveOpen("none of its results has content", "crawl.default_formats")
  else answers.see("crawl.default_formats", formats, "results of a crawl without formats")
  const seed = rows.find(({ url }) => typeof url === "string" && isSameAddress(url, options.target))
  const depth = looseInteger(seed?.depth, false)
  if (typeof depth === "number") answers.see("crawl.seed_depth", depth, "the result of the page asked for")
  else answers.leaveOpen("no result of the page asked for tells its depth", "crawl.seed_depth")
}

const membersOf = (json: ReturnType<typeof sanitizeJson>) =>
  typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Record<string, typeof json>) : {}
