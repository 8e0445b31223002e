import { isTerminal } from "@sluice/contract"
import { Clock, Duration, Effect } from "effect"
import { isMembers, type Members } from "../api/answerFrame.ts"
import { jobState } from "../api/jobState.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { looseInteger } from "../record/looseValues.ts"
import type { ApiRequest } from "./ApiAnswer.ts"
import type { ProbeLogError, Step } from "./ProbeLog.ts"
import type { OpenJob, Session } from "./Session.ts"

/** One look at a job. */
export interface Look {
  readonly body: Members
  readonly isEnded: boolean
  readonly rows: ReadonlyArray<Members>
}

/** What was seen of a job until it ended, or until it was cancelled for taking too long or costing too much. */
export interface Watched {
  readonly looks: ReadonlyArray<Look>
  /** The look that showed it ended. */
  readonly end: Look | undefined
  /** Reads at first that did not know it. */
  readonly unknownPolls: number
  /** Pages and counters; tokens it says it has cost, if it says so. */
  readonly tokens: number | undefined
}

/** Looks at a job that are kept. */
const mostLooks = 200
const slice = { page: 1, page_size: 50 }
/** The first pause between looks, in milliseconds: what a job does at first says most. It doubles, up to `pollEvery`. */
const firstPause = 100

/** Asks for a job. */
export const jobRequest = ({ jobId, kind }: OpenJob, query: NonNullable<ApiRequest["query"]> = slice): ApiRequest => ({
  method: "GET",
  path: `/v1/${kind}/${encodeURIComponent(jobId)}`,
  ...(kind === "crawl" || kind === "batch" ? { query } : {})
})

/** Polls a job to its end and settles what it has cost. It never costs more than it was allotted: it is cancelled before. */
export const watchJob = Effect.fn("Probe.watchJob")(function* (
  session: Session,
  step: Step,
  job: OpenJob,
  allotted: number
): Effect.fn.Return<Watched, ScraperError | ProbeLogError> {
  const { client, notes, options } = session
  const startedAt = yield* Clock.currentTimeMillis
  const looks: Array<Look> = []
  let unknownPolls = 0
  const pause = (nth: number) =>
    Effect.sleep(Math.min(Duration.toMillis(options.pollEvery), firstPause * 2 ** Math.min(nth - 1, 20)))
  for (;;) {
    const answer = yield* client.ask(step, jobRequest(job))
    const now = yield* Clock.currentTimeMillis
    if (answer.status === 404 && looks.length === 0 && now - startedAt < Duration.toMillis(options.unknownFor)) {
      unknownPolls++
      yield* pause(unknownPolls)
      continue
    }
    // Any other refusal fails here, in its own words.
    const { body } = answer.status < 300 ? answer : yield* client.read(step, jobRequest(job))
    const look = lookAt(session, isMembers(body) ? body : {})
    if (looks.length < mostLooks) looks.push(look)
    const tokens = tokensOf(look.body)
    if (look.isEnded) {
      yield* settle(session, step, tokens ?? allotted)
      return { looks, end: look, unknownPolls, tokens }
    }
    const isCostly = (tokens ?? 0) > allotted
    if (isCostly || now - startedAt > Duration.toMillis(options.jobDeadline)) {
      session.hasTrouble = true
      notes.push(
        isCostly
          ? `"${step}" was cancelled: it was charged ${tokens} tokens of the ${allotted} it may cost`
          : `"${step}" was cancelled: it did not end within ${Duration.toSeconds(options.jobDeadline)} s`
      )
      session.spend.charge(step, Math.max(allotted, tokens ?? 0))
      yield* cancelJob(session, step, job)
      return { looks, end: undefined, unknownPolls, tokens }
    }
    yield* pause(unknownPolls + looks.length)
  }
})

const lookAt = ({ states }: Session, body: Members): Look => {
  const rows = (Array.isArray(body.results) ? body.results : []).filter(isMembers)
  for (const { status } of [body, ...rows]) {
    if (typeof status === "string" && /^[\w -]{1,32}$/.test(status)) states.add(status)
  }
  return { body, rows, isEnded: isTerminal(jobState(body.status, body.completed_at)) }
}

/** What a job says it has cost. */
const tokensOf = (body: Members): number | undefined => {
  const { token_summary: summary, tokens_charged: charged } = body
  const told = looseInteger(isMembers(summary) ? summary.tokens_charged_total : charged, false)
  return typeof told === "number" && told >= 0 ? told : undefined
}

const settle = Effect.fnUntraced(function* (session: Session, step: Step, tokens: number) {
  session.spend.charge(step, tokens)
  session.open.delete(step)
  yield* session.log.append({ entry: "ended", step, tokens })
})

/** Cancellations of one job that are tried. */
const mostCancellations = 5

/**
 * Cancels a job until it is seen ended, and counts it as what it says it has cost, or as the most it may have. There is no way to cancel an extraction, and a job
 * that may be another's is left alone.
 */
export const cancelJob = Effect.fn("Probe.cancelJob")(function* (
  session: Session,
  step: Step,
  job: OpenJob
): Effect.fn.Return<boolean, ScraperError | ProbeLogError> {
  const { client, notes, options } = session
  if (job.adopted || job.kind === "extract" || job.kind === "map") {
    notes.push(`job ${job.jobId} ("${step}") is left as it is: it cannot be cancelled`)
    return false
  }
  for (let attempt = 1; attempt <= mostCancellations; attempt++) {
    const cancelled = yield* Effect.result(
      client.send(step, { method: "DELETE", path: `/v1/${job.kind}/${encodeURIComponent(job.jobId)}` })
    )
    const { body, status } = yield* client.ask(step, jobRequest(job))
    // A job that is not known may be one that is not known yet, unless its cancellation was accepted.
    const isGone = status === 404 && cancelled._tag === "Success" && cancelled.success.status < 300
    if (isGone || (status < 300 && isMembers(body) && lookAt(session, body).isEnded)) {
      const told = status < 300 && isMembers(body) ? tokensOf(body) : undefined
      yield* settle(session, step, told ?? session.spend.of(step))
      return true
    }
    // A key that is refused cancels nothing.
    if (status === 401 || status === 403) break
    yield* Effect.sleep(options.pollEvery)
  }
  session.hasTrouble = true
  notes.push(`job ${job.jobId} ("${step}") could not be cancelled`)
  return false
})
