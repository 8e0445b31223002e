import { Effect } from "effect"
import { isMembers, type Members } from "../api/answerFrame.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { looseInteger } from "../record/looseValues.ts"
import type { ApiAnswer } from "./ApiAnswer.ts"
import type { Step } from "./ProbeLog.ts"
import type { ValueOf } from "./Question.ts"
import type { OpenJob, Session } from "./Session.ts"
import { jobRequest, type Look } from "./watchJob.ts"

/** Slices of one row that are read. */
const mostSingles = 6
const farPage = 1_000

/** A slice as it was answered: undefined where it was refused. */
type Rows = ReadonlyArray<Members> | undefined

/** Reads the slices of an ended job in every way, and answers all distinct rows that it saw. */
export const askSlices = Effect.fn("Probe.askSlices")(function* (
  session: Session,
  step: Step,
  job: OpenJob,
  end: Look
): Effect.fn.Return<ReadonlyArray<Members>, ScraperError> {
  const { answers, client } = session
  const seen = new Map<string, Members>()
  const slice = Effect.fnUntraced(function* (page: number, pageSize: number) {
    const answer = yield* client.ask(step, jobRequest(job, { page, page_size: pageSize }))
    const rows = rowsOf(answer)
    for (const row of rows ?? []) seen.set(keyOf(row), row)
    return rows
  })
  const whole = (yield* slice(1, 50)) ?? []
  const second = (yield* slice(2, 50)) ?? []
  const zero = yield* slice(0, 1)
  const ended = endedPages(end.body) ?? whole.length
  const singles: Array<ReadonlyArray<Members>> = []
  for (let page = 1; page <= Math.min(mostSingles, ended + 2); page++) singles.push((yield* slice(page, 1)) ?? [])
  const far = yield* slice(farPage, 50)
  const over = yield* slice(1, 51)
  answers.see("results.page_size_over_50", over === undefined ? "refused" : "accepted", "page_size=51")
  if (ended < 2 || seen.size === 0) {
    answers.leaveOpen(
      `the crawl has ${ended} pages, too few to see it by`,
      "results.page",
      "results.page_size",
      "results.past_end"
    )
    return [...seen.values()]
  }
  const page = pageOf(ended, whole, zero, singles)
  answers.see("results.page", page, `${ended} pages, read one at a time`)
  const size =
    page === "ignored"
      ? sizeOf(ended, whole, [], singles.slice(0, 1))
      : sizeOf(ended, page === "counts from 0" ? undefined : whole, second, singles)
  if (size === undefined) answers.leaveOpen("its slices contradict each other", "results.page_size")
  else
    answers.see(
      "results.page_size",
      size,
      `${whole.length} results for 50, ${singles[0]?.length ?? 0} for 1, of ${ended}`
    )
  answers.see(
    "results.past_end",
    far === undefined ? "refused" : far.length === 0 ? "empty" : "repeated",
    `page ${farPage}`
  )
  return [...seen.values()]
})

const rowsOf = ({ body, status }: ApiAnswer): Rows => {
  if (status >= 300) return undefined
  return isMembers(body) && Array.isArray(body.results) ? body.results.filter(isMembers) : []
}

/** What a row is known by. A row that does not say which page it is counts by all it holds. */
const keyOf = (row: Members): string => (typeof row.url === "string" ? row.url : JSON.stringify(row))

const sameRows = (a: ReadonlyArray<Members>, b: ReadonlyArray<Members>): boolean =>
  a.length === b.length && a.every((row, at) => keyOf(row) === keyOf(b[at]!))

/** Pages that have ended, by the counters. */
const endedPages = ({
  cancelled_pages: cancelled,
  completed_pages: completed,
  failed_pages: failed
}: Members): number | undefined => {
  const counts = [completed, failed, cancelled].map((count) => looseInteger(count, false))
  return counts.every((count) => typeof count === "number") ? counts.reduce((sum, count) => sum + count, 0) : undefined
}

const pageOf = (
  ended: number,
  whole: ReadonlyArray<Members>,
  zero: Rows,
  singles: ReadonlyArray<ReadonlyArray<Members>>
): ValueOf<"results.page"> => {
  const [first = [], second = []] = singles
  if (first.length > 0 && singles.every((slice) => sameRows(slice, first))) return "ignored"
  const isBefore = zero !== undefined && zero.length > 0 && !sameRows(zero, first)
  if (isBefore && !whole.some((row) => keyOf(row) === keyOf(zero[0]!))) return "counts from 0"
  // The first slice of all rows is empty where it is the second.
  if (whole.length === 0 && first.length > 0 && second.length < ended) return "counts from 0"
  return "counts from 1"
}

const sizeOf = (
  ended: number,
  whole: ReadonlyArray<Members> | undefined,
  second: ReadonlyArray<Members>,
  singles: ReadonlyArray<ReadonlyArray<Members>>
): ValueOf<"results.page_size"> | undefined => {
  const first = singles[0]?.length ?? 0
  if (first > 1) return { rows: first }
  const hole = singles.findIndex(
    (slice, at) => slice.length === 0 && singles.slice(at + 1).some(({ length }) => length > 0)
  )
  if (hole >= 0) return { empty_page: hole + 1 }
  if (first === 0) return undefined
  if (whole === undefined || whole.length >= Math.min(ended, 50)) return "honoured"
  return second.length > 0 ? { rows: whole.length } : { cut_to: whole.length }
}
