import { Clock, Duration, Effect } from "effect"
import { idOf, isMembers, type Members } from "../api/answerFrame.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import type { ApiAnswer, ApiRequest } from "./ApiAnswer.ts"
import type { JobListKind, Session } from "./Session.ts"

/** A row of a job list. */
export interface JobRow {
  readonly jobId: string
  readonly url: string | null
  readonly status: string
  /** Epoch milliseconds; infinity where it does not say. */
  readonly createdAt: number
  readonly raw: Members
}

/** The rows of a job list, of whatever shape it is. */
export const jobRows = ({ body }: ApiAnswer): ReadonlyArray<JobRow> => {
  const rows = isMembers(body) && Array.isArray(body.jobs) ? body.jobs : []
  return rows.filter(isMembers).map((raw) => ({
    raw,
    jobId: idOf(raw.job_id ?? raw.id),
    url: typeof raw.url === "string" ? raw.url : null,
    status: typeof raw.status === "string" ? raw.status : "",
    createdAt: typeof raw.created_at === "string" ? instantOf(raw.created_at) : Number.POSITIVE_INFINITY
  }))
}

const instantOf = (text: string): number => {
  const millis = Date.parse(text)
  return Number.isNaN(millis) ? Number.POSITIVE_INFINITY : millis
}

/** Asks for a page of a job list. Any answer will do. */
export const askJobs = (
  { client }: Session,
  step: string,
  kind: JobListKind,
  query: NonNullable<ApiRequest["query"]> = {}
): Effect.Effect<ApiAnswer, ScraperError> => client.ask(step, { method: "GET", path: `/v1/${kind}/jobs`, query })

/** The rows of a page of a job list. A refusal is a failure. */
export const readJobRows = (
  { client }: Session,
  step: string,
  kind: JobListKind,
  query: NonNullable<ApiRequest["query"]> = {}
): Effect.Effect<ReadonlyArray<JobRow>, ScraperError> =>
  Effect.map(client.read(step, { method: "GET", path: `/v1/${kind}/jobs`, query }), jobRows)

/** How long a job list took to show a job. */
export interface ListLag {
  /** Reads that missed it. */
  readonly reads: number
  /** When it was seen, in epoch milliseconds. */
  readonly at: number
}

/** Reads a job list until it shows a job, within bounds; undefined where it never does. */
export const untilListed = Effect.fnUntraced(function* (
  session: Session,
  step: string,
  kind: JobListKind,
  jobId: string
): Effect.fn.Return<ListLag | undefined, ScraperError> {
  const { lagPause, lagReads } = session.options
  for (let reads = 0; reads < lagReads; reads++) {
    const rows = yield* readJobRows(session, step, kind, { page: 1, page_size: 100 })
    const now = yield* Clock.currentTimeMillis
    if (rows.some((row) => row.jobId === jobId)) return { reads, at: now }
    yield* Effect.sleep(Duration.millis(Duration.toMillis(lagPause)))
  }
  return undefined
})
