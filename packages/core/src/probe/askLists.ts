import { CrawlJobSummary } from "@sluice/contract"
import { Clock, Effect } from "effect"
import { isMembers } from "../api/answerFrame.ts"
import { jobState } from "../api/jobState.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { looseInteger } from "../record/looseValues.ts"
import type { ApiAnswer } from "./ApiAnswer.ts"
import { askJobs, type JobRow, jobRows, untilListed } from "./jobRows.ts"
import { memberDrift } from "./memberDrift.ts"
import type { Step } from "./ProbeLog.ts"
import type { QuestionId } from "./Question.ts"
import type { JobListKind, Session } from "./Session.ts"
import { isSameAddress } from "./submitOnce.ts"

const step = "lists"
const kinds: ReadonlyArray<JobListKind> = ["crawl", "batch", "extract", "map"]
/** An instant that no job was made after. */
const farFuture = "2999-01-01T00:00:00Z"
const farPage = 1_000
const day = 86_400_000

/** Asks the lists of jobs in every way. */
export const askLists = Effect.fn("Probe.askLists")(function* (session: Session): Effect.fn.Return<void, ScraperError> {
  const { answers } = session
  yield* untilShown(session)
  const sizes: Record<string, number> = {}
  for (const kind of kinds) {
    const size = sizeTold(yield* askJobs(session, step, kind))
    if (size !== undefined) sizes[kind] = size
  }
  answers.see("lists.default_page_size", sizes, "page_size of lists asked for without")
  const over = yield* askJobs(session, step, "crawl", { page_size: 101 })
  const told = sizeTold(over)
  if (over.status >= 300) answers.see("lists.page_size_over_100", "refused", `HTTP ${over.status}`)
  else
    answers.see(
      "lists.page_size_over_100",
      told !== undefined && told < 101 ? "lowered" : "accepted",
      `page_size ${told ?? "absent"}`
    )
  const all = yield* askJobs(session, step, "crawl", { page: 1, page_size: 100 })
  yield* askPages(session, jobRows(all))
  yield* askFilters(session, all)
  yield* askOldest(session, pageCount(all) ?? 1)
  yield* askUrlFilter(session)
})

/** The answer to a step that has made a job. */
const madeBy = ({ log }: Session, step: Step) => {
  const entry = log.entries.findLast((made) => made.entry === "answered" && made.step === step && made.job !== null)
  return entry?.entry === "answered" ? (entry.job ?? undefined) : undefined
}

/** Waits until the list shows the newest crawl of the probe, where it shows jobs at all. */
const untilShown = Effect.fnUntraced(function* (session: Session) {
  const newest = madeBy(session, "crawl")
  const isHopeless = session.answers.toJSON()["lists.shows_jobs"]?.value === false
  if (newest !== undefined && !isHopeless) yield* untilListed(session, step, "crawl", newest)
})

const sizeTold = ({ body }: ApiAnswer): number | undefined => {
  const size = isMembers(body) ? looseInteger(body.page_size, false) : null
  return typeof size === "number" ? size : undefined
}

const pageCount = ({ body }: ApiAnswer): number | undefined => {
  const count = isMembers(body) ? looseInteger(body.page_count, false) : null
  return typeof count === "number" ? count : undefined
}

const sameJobs = (a: ReadonlyArray<JobRow>, b: ReadonlyArray<JobRow>): boolean =>
  a.length === b.length && a.every(({ jobId }, at) => jobId === b[at]?.jobId)

/** Pages of one job each. */
const askPages = Effect.fnUntraced(function* (session: Session, rows: ReadonlyArray<JobRow>) {
  const { answers } = session
  const ids: ReadonlyArray<QuestionId> = ["lists.page", "lists.page_count", "lists.past_end", "lists.order"]
  if (rows.length < 2)
    return answers.leaveOpen(`the list of crawls shows ${rows.length} jobs, too few to see it by`, ...ids)
  const firstAnswer = yield* askJobs(session, step, "crawl", { page: 1, page_size: 1 })
  const first = jobRows(firstAnswer)
  const second = jobRows(yield* askJobs(session, step, "crawl", { page: 2, page_size: 1 }))
  const isIgnored = first.length > 0 && sameJobs(first, second)
  answers.see("lists.page", isIgnored ? "ignored" : "counts from 1", "two pages of one job each")
  const count = pageCount(firstAnswer)
  if (count === undefined) answers.see("lists.page_count", "absent", "no page_count")
  else
    answers.see(
      "lists.page_count",
      count < rows.length ? "too small" : "right",
      `${count} for at least ${rows.length} pages of one job`
    )
  const far = yield* askJobs(session, step, "crawl", { page: farPage, page_size: 100 })
  const past = far.status >= 300 ? "refused" : jobRows(far).length === 0 ? "empty" : "repeated"
  if (isIgnored || rows.length < farPage) answers.see("lists.past_end", past, `page ${farPage}`)
  askOrder(session, rows)
})

/** Which of two crawls of this probe is listed first, the cancelled one being the older. */
const askOrder = (session: Session, rows: ReadonlyArray<JobRow>) => {
  const { answers } = session
  const placeOf = (made: string | undefined) => rows.findIndex(({ jobId }) => jobId === made)
  const older = placeOf(madeBy(session, "cancelled crawl"))
  const newer = placeOf(madeBy(session, "crawl"))
  if (older < 0 || newer < 0) {
    return answers.leaveOpen("the list does not show two crawls of the probe", "lists.order")
  }
  answers.see("lists.order", newer < older ? "newest first" : "oldest first", "two crawls of the probe")
}

const askFilters = Effect.fnUntraced(function* (session: Session, all: ApiAnswer) {
  const { answers } = session
  const rows = jobRows(all)
  if (rows.length === 0) {
    return answers.leaveOpen(
      "the list shows no job",
      "lists.crawl_members",
      "lists.dates",
      "lists.status",
      "lists.empty_page_count"
    )
  }
  const drift = memberDrift(
    rows.map(({ raw }) => raw),
    CrawlJobSummary.fields
  )
  answers.see("lists.crawl_members", drift, `${rows.length} listed crawls`)
  const future = yield* askJobs(session, step, "crawl", { start_date: farFuture, page_size: 100 })
  if (future.status >= 300) answers.leaveOpen(`HTTP ${future.status}`, "lists.dates", "lists.empty_page_count")
  else if (jobRows(future).length > 0) {
    answers.see("lists.dates", "ignored", "jobs made after the year 2999 are asked for, and others listed")
    answers.leaveOpen("no list is empty", "lists.empty_page_count")
  } else {
    answers.see("lists.dates", "honoured", "no job was made after the year 2999")
    const count = pageCount(future)
    if (count === undefined) answers.leaveOpen("it has no page_count", "lists.empty_page_count")
    else answers.see("lists.empty_page_count", count, "page_count of a list without jobs")
  }
  const failed = yield* askJobs(session, step, "crawl", { status: "failed", page_size: 100 })
  const others = jobRows(failed).filter((row) => jobState(row.status, row.raw.completed_at) !== "failed")
  if (failed.status >= 300) answers.leaveOpen(`HTTP ${failed.status}`, "lists.status")
  else
    answers.see("lists.status", others.length > 0 ? "ignored" : "honoured", `${others.length} others among failed jobs`)
})

const askOldest = Effect.fnUntraced(function* (session: Session, pages: number) {
  const { answers } = session
  const last = yield* askJobs(session, step, "crawl", { page: Math.max(1, pages), page_size: 100 })
  const made = jobRows(last)
    .map(({ createdAt }) => createdAt)
    .filter(Number.isFinite)
  if (made.length === 0) return answers.leaveOpen("no job tells when it was made", "lists.oldest_days")
  const now = yield* Clock.currentTimeMillis
  const days = Math.max(0, Math.floor((now - Math.min(...made)) / day))
  answers.conclude("lists.oldest_days", days, `the last of ${pages} pages of crawls`)
})

/** Whether extractions can be looked for by URL, and whether synchronous ones are listed. */
const askUrlFilter = Effect.fnUntraced(function* (session: Session) {
  const { answers, log, options } = session
  const ids = ["extract.url_filter", "extract.sync_listed"] as const
  const jobId = madeBy(session, "extraction as a job")
  if (jobId === undefined) return answers.leaveOpen("there was no extraction as a job", ...ids)
  if ((yield* untilListed(session, step, "extract", jobId)) === undefined) {
    return answers.leaveOpen("the list never showed an extraction", ...ids)
  }
  const listed = Effect.fnUntraced(function* (query: Readonly<Record<string, string | number>>) {
    return jobRows(yield* askJobs(session, step, "extract", { ...query, page_size: 100 }))
  })
  const has = (rows: ReadonlyArray<JobRow>) => rows.some((row) => row.jobId === jobId)
  const other = has(yield* listed({ url: `${options.target}no-such-page` }))
  const part = has(yield* listed({ url: new URL(options.target).host }))
  const exact = has(yield* listed({ url: options.target }))
  if (other) answers.see("extract.url_filter", "ignored", "another URL is asked for, and the extraction listed")
  else if (part) answers.see("extract.url_filter", "part", "the host alone finds it")
  else if (exact) answers.see("extract.url_filter", "exact", "the URL finds it, its host does not")
  else answers.leaveOpen("not even the URL finds it", "extract.url_filter")
  const atOnce = log.entries.findLast((entry) => entry.entry === "answered" && entry.step === "extraction at once")
  if (atOnce?.entry !== "answered" || atOnce.status >= 300) {
    return answers.leaveOpen("there was no synchronous extraction", "extract.sync_listed")
  }
  const intent = log.entries.findLast((entry) => entry.entry === "intent" && entry.step === "extraction at once")
  const since = intent?.entry === "intent" ? intent.at - 120_000 : 0
  const twin = (yield* listed({ page: 1 })).some(
    (row) => row.jobId !== jobId && row.createdAt >= since && row.url !== null && isSameAddress(row.url, options.target)
  )
  answers.conclude("extract.sync_listed", twin, "another extraction of the page in the list, made meanwhile")
})
