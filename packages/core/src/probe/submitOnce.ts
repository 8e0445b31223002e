import { Clock, DateTime, Duration, Effect, type Schema } from "effect"
import { isMembers, type Members } from "../api/answerFrame.ts"
import { PaymentRequired, RateLimited, type ScraperError, Unauthorized } from "../api/ScraperError.ts"
import { looseInteger } from "../record/looseValues.ts"
import type { ApiAnswer } from "./ApiAnswer.ts"
import { refusalReason } from "./answerReason.ts"
import { type JobRow, readJobRows } from "./jobRows.ts"
import type { ProbeLogError, Step } from "./ProbeLog.ts"
import type { JobListKind, Session } from "./Session.ts"
import { sanitizeJson } from "./sanitizeJson.ts"

/** What a step asks for. */
export interface Submission {
  readonly step: Step
  readonly kind: JobListKind
  /** Tokens it may cost at most. */
  readonly allotted: number
  readonly body: Readonly<Record<string, Schema.Json>>
}

/** What became of it: the answer without texts of others, or why there is none. */
export type Submitted =
  | {
      readonly _tag: "Answered"
      readonly status: number
      readonly kind: ApiAnswer["kind"]
      readonly body: Members
      readonly jobId: string | null
      readonly adopted: boolean
      /** Whether an earlier process has submitted it. */
      readonly resumed: boolean
    }
  | { readonly _tag: "Unasked"; readonly why: string }

/** How often a submission is sent again that the API has refused for now. */
const mostAttempts = 3
const longestWait = Duration.toMillis("30 seconds")
/** How far the API's clock and ours may differ. */
const clockSkew = Duration.toMillis("2 minutes")
/** Looks at a list before a submission counts as lost. */
const leastLooks = 4

/**
 * Submits a step once, whatever happens. The intent is durable before the request leaves; a step whose intent is known is never sent
 * again: its answer comes from the log, or its job from the list of jobs, or it stays lost and counts as paid.
 */
export const submitOnce = Effect.fn("Probe.submitOnce")(function* (
  session: Session,
  submission: Submission
): Effect.fn.Return<Submitted, ScraperError | ProbeLogError> {
  const { client, log, spend } = session
  const { allotted, body, kind, step } = submission
  const known = yield* fromLog(session, submission)
  if (known !== undefined) return known
  if (session.outOfBalance) return { _tag: "Unasked", why: "the balance of the account is used up" }
  if (!spend.admits(allotted)) {
    return { _tag: "Unasked", why: `it may cost ${allotted} tokens, and the bound leaves ${spend.left}` }
  }
  for (let attempt = 1; ; attempt++) {
    const at = yield* Clock.currentTimeMillis
    yield* log.append({ entry: "intent", step, at, allotted })
    const sent = yield* Effect.result(client.send(step, { method: "POST", path: `/v1/${kind}`, body }))
    if (sent._tag === "Failure") {
      if (!sent.failure.tookNoEffect) return yield* recover(session, submission, at)
      yield* log.append({ entry: "refused", step, why: sent.failure.reason._tag })
      return yield* sent.failure
    }
    const answer = sent.success
    const reason = refusalReason(answer)
    if (reason instanceof RateLimited) {
      yield* log.append({ entry: "refused", step, why: "429" })
      const pause = reason.retryAfterMs ?? Duration.toMillis(session.options.lagPause)
      if (attempt >= mostAttempts || pause > longestWait) return yield* client.failure(step, reason)
      yield* Effect.sleep(pause)
      continue
    }
    if (reason instanceof Unauthorized) {
      yield* log.append({ entry: "refused", step, why: `${answer.status}` })
      return yield* client.failure(step, reason)
    }
    if (reason instanceof PaymentRequired) {
      yield* log.append({ entry: "refused", step, why: "402" })
      session.outOfBalance = true
      return { _tag: "Unasked", why: "the balance of the account is used up" }
    }
    // A server that broke, or a page of HTML, says nothing about whether it took effect.
    if (answer.status >= 500 || answer.status === 408 || answer.kind !== "json") {
      if (answer.status < 400 || answer.status >= 500 || answer.status === 408) {
        return yield* recover(session, submission, at)
      }
    }
    return yield* take(session, submission, answer, false)
  }
})

/** Writes an answer down, and answers it as it was written. */
const take = Effect.fnUntraced(function* (
  session: Session,
  { allotted, kind, step }: Submission,
  { body, kind: bodyKind, status }: Pick<ApiAnswer, "status" | "kind" | "body">,
  adopted: boolean
) {
  const { cassette, log, open, spend } = session
  const members = isMembers(body) ? body : {}
  const kept = sanitizeJson(members, cassette.rules)
  const jobId = status < 300 ? jobIdOf(members) : null
  yield* log.append({ entry: "answered", step, status, kind: bodyKind, body: kept, job: jobId, adopted })
  spend.charge(step, status < 300 ? allotted : 0)
  if (jobId !== null) open.set(step, { kind, jobId, adopted })
  return {
    _tag: "Answered",
    status,
    kind: bodyKind,
    body: isMembers(kept) ? kept : {},
    jobId,
    adopted,
    resumed: false
  } satisfies Submitted
})

const jobIdOf = ({ id, job_id: jobId }: Members): string | null => {
  const named = jobId ?? id
  return typeof named === "string" && named !== "" ? named : typeof named === "number" ? String(named) : null
}

/** What the log says of a step; undefined where it may be submitted. */
const fromLog = Effect.fnUntraced(function* (
  session: Session,
  submission: Submission
): Effect.fn.Return<Submitted | undefined, ScraperError | ProbeLogError> {
  const { log, open, spend } = session
  const { kind, step } = submission
  const own = log.entries.filter((entry) => "step" in entry && entry.step === step)
  const last = own.findLast(({ entry }) => entry !== "ended")
  if (last === undefined || last.entry === "refused") return undefined
  if (last.entry === "intent") {
    spend.charge(step, last.allotted)
    return yield* recover(session, submission, last.at)
  }
  const intent = own.findLast((entry) => entry.entry === "intent")
  const allotted = intent?.entry === "intent" ? intent.allotted : submission.allotted
  if (last.entry === "lost") {
    spend.charge(step, allotted)
    session.hasTrouble = true
    return { _tag: "Unasked", why: last.why }
  }
  if (last.entry !== "answered") return undefined
  const ended = own.findLast((entry) => entry.entry === "ended")
  spend.charge(step, ended?.entry === "ended" ? ended.tokens : last.status < 300 ? allotted : 0)
  if (last.job !== null && ended === undefined) open.set(step, { kind, jobId: last.job, adopted: last.adopted })
  const body: unknown = last.body
  return {
    _tag: "Answered",
    status: last.status,
    kind: last.kind,
    body: isMembers(body) ? body : {},
    jobId: last.job,
    adopted: last.adopted,
    resumed: true
  }
})

/** Looks for the one job that a submission became whose answer was lost. It is not sent again. */
const recover = Effect.fnUntraced(function* (
  session: Session,
  submission: Submission,
  submittedAt: number
): Effect.fn.Return<Submitted, ScraperError | ProbeLogError> {
  const { log, notes, options, spend } = session
  const { allotted, step } = submission
  spend.charge(step, allotted)
  const trustworthyAt = submittedAt + Duration.toMillis(options.recoverFor)
  for (let looks = 1; ; looks++) {
    const askedAt = yield* Clock.currentTimeMillis
    const since = submittedAt - clockSkew
    const rows = yield* readJobRows(session, step, submission.kind, { start_date: isoOf(since), page_size: 100 })
    const candidates = rows.filter((row) => row.createdAt >= since && isMatch(session, submission, row))
    if (candidates.length > 1 || (askedAt >= trustworthyAt && looks >= leastLooks)) {
      const [job] = candidates
      if (candidates.length === 1 && job !== undefined) {
        notes.push(`the answer to "${step}" was lost; job ${job.jobId} of the job list is taken for it`)
        const told = { job_id: job.jobId, status: job.status }
        return yield* take(session, submission, { status: 202, kind: "json", body: told }, true)
      }
      const why =
        candidates.length === 0
          ? "the answer to its submission was lost, and the job list shows no job of it: it is not sent again, since it may have been paid for"
          : `the answer to its submission was lost, and ${candidates.length} jobs of the list could be it: it is not sent again`
      yield* log.append({ entry: "lost", step, why })
      session.hasTrouble = true
      notes.push(`"${step}": ${why}`)
      return { _tag: "Unasked", why }
    }
    yield* Effect.sleep(options.lagPause)
  }
})

const isoOf = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

const isMatch = ({ log }: Session, { body, kind }: Submission, row: JobRow): boolean => {
  const isKnown = log.entries.some((entry) => entry.entry === "answered" && entry.job === row.jobId)
  if (isKnown) return false
  if (kind === "batch") {
    const accepted = looseInteger(row.raw.accepted_urls, false)
    return typeof accepted !== "number" || (Array.isArray(body.urls) && accepted <= body.urls.length)
  }
  return typeof body.url === "string" && row.url !== null && isSameAddress(row.url, body.url)
}

/** Whether two texts are the same URL, in whatever spelling. */
export const isSameAddress = (a: string, b: string): boolean =>
  a === b || (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href)
