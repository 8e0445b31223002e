import type { JobId } from "@sluice/contract"
import { Clock, Effect, Option, Result, Stream } from "effect"
import type { Scraper } from "../../api/Scraper.ts"
import type { ScraperError } from "../../api/ScraperError.ts"
import type { LedgerError } from "../../ledger/Ledger.ts"
import type { Budget } from "../../pipeline/Budget.ts"
import { canonicalHash } from "../../record/canonicalJson.ts"
import type { JobKind } from "../../record/JobSnapshot.ts"
import { type AdoptionOptions, findLostSubmission, type KnownJob } from "../../source/Adoption.ts"
import type { OrphanOptions } from "../../source/Orphans.ts"
import { isOwnId } from "../../source/ownJobId.ts"
import type { Unreconciled } from "../../source/SourceError.ts"
import type { SubmissionLog, SubmissionRequest } from "../../source/SubmissionLog.ts"
import { AnswerLost, RequestChanged, type SubmitFailure } from "../../source/SubmitFailure.ts"
import type { RunContext } from "../acquire/RunContext.ts"
import type { BudgetTracker } from "./BudgetTracker.ts"
import type { KeyedMutex } from "./KeyedMutex.ts"
import { makeOrphanCheck, noOrphanCheck, type OrphanCheck, type OrphanDecision } from "./OrphanCheck.ts"
import { isShared, remainingBudget } from "./RemainingBudget.ts"

/** What somebody has decided about a submission whose answer was lost, or about jobs that no run explains. */
export type Decision = OrphanDecision

/** What a run's submission log needs besides the run. */
export interface SubmissionLogOptions {
  readonly scraper: Scraper["Service"]
  readonly adoption: AdoptionOptions
  readonly orphans: OrphanOptions
  /** Applies to the first submission whose answer was lost, each later one needs its own; and to jobs that no run explains. */
  readonly decision: Decision | undefined
  /** Asks for nothing more, cancels what is under way, and takes what has been paid for. */
  readonly cancel: boolean
  readonly budget: Budget | undefined
  readonly budgetTracker: BudgetTracker
  readonly withLock: KeyedMutex
  readonly notify: Effect.Effect<void>
  readonly onUnreconciled: (reason: Unreconciled) => void
}

/** The submission log of a run, which knows whether anything may have been paid for. */
export interface RunSubmissionLog extends SubmissionLog {
  readonly hasSubmitted: () => boolean
}

/** A submission with what it takes to make it. */
interface PendingSubmission {
  readonly request: Omit<SubmissionRequest<unknown>, "body">
  readonly requestHash: string
  /** The body at full cost, by which the API's lists are searched. */
  readonly body: unknown
  readonly post: (granted: number) => Effect.Effect<{ readonly jobId: JobId }, ScraperError>
}

/** How often a submission is made again that has been shown to have had no effect. */
const mostResubmissions = 1

/** Jobs of a run that are remembered, for one of them to be looked for in a list: more than are ever asked for at once. */
const mostRemembered = 128

type Submitted = Effect.Effect<JobId | undefined, SubmitFailure>

/**
 * The submission log of a run, kept in the ledger. Paid work is asked for once: the intent is durable before the request leaves, the
 * job id is durable before the job is read. A submission whose answer was lost, by this process or the one before, is looked
 * for in the API's lists before anything else is done about it.
 */
export const makeSubmissionLog = (context: RunContext, options: SubmissionLogOptions): RunSubmissionLog => {
  const { ledger, mark, run, seenKeys: seen, submissions, supersedes, tracker, vault } = context
  const { cancel, budgetTracker, withLock } = options
  const submittedOrdinals = new Set(submissions.keys())
  let { decision } = options

  /** The latest jobs of this run, in the order they were asked for. */
  const latest: Array<KnownJob & { readonly kind: JobKind }> = []
  const remember = (kind: JobKind, jobId: string | null, submittedAt: number): void => {
    if (jobId === null || isOwnId(jobId)) return
    latest.push({ kind, jobId, submittedAt })
    if (latest.length > mostRemembered) latest.shift()
  }
  for (const { jobId, kind, submittedAt } of submissions.values()) remember(kind, jobId, submittedAt)

  /** A job that the API's list has to show by now: one of this run, asked for before, or one of the run before. */
  const recentJobs = Effect.fnUntraced(function* (kind: JobKind, before: number) {
    const own = latest.findLast((job) => job.kind === kind && job.submittedAt <= before)
    if (own !== undefined) return [own]
    const runs = yield* ledger.runs({ pipeline: run.pipeline, limit: 2 })
    const last = runs.find(({ runId }) => runId !== run.runId)
    if (last === undefined) return []
    const ofLast = ledger
      .submissions(last.runId)
      .pipe(
        Stream.filterMap(({ jobId, kind: of, submittedAt }) =>
          of === kind && jobId !== null && !isOwnId(jobId) ? Result.succeed({ jobId, submittedAt }) : Result.failVoid
        )
      )
    return Option.toArray(yield* Stream.runHead(ofLast))
  })

  const warn = (sentence: string): Effect.Effect<void> =>
    Effect.andThen(
      Effect.logWarning(sentence),
      Effect.sync(() => tracker.explain(sentence))
    )

  // With a lost answer to decide about, "resubmit" is said of that.
  const isLost = [...submissions.values()].some(({ jobId }) => jobId === null)
  const doubt = decision === "resubmit" && !isLost ? undefined : context.doubt
  const orphans: OrphanCheck =
    doubt === undefined
      ? noOrphanCheck
      : makeOrphanCheck({
          scraper: options.scraper,
          ledger,
          doubt,
          decision: decision === "resubmit" ? undefined : decision,
          orphans: options.orphans,
          withLock,
          warn
        })

  const record = (pending: PendingSubmission, jobId: JobId, madeAt?: number): Effect.Effect<JobId, LedgerError> =>
    Effect.gen(function* () {
      yield* ledger.recordJob(run, pending.request.ordinal, jobId)
      remember(pending.request.kind, jobId, madeAt ?? (yield* Clock.currentTimeMillis))
      return jobId
    })

  const rollBack = (pending: PendingSubmission): Effect.Effect<void, LedgerError> =>
    Effect.map(
      ledger.rollbackIntent(run, pending.request.ordinal),
      () => void submittedOrdinals.delete(pending.request.ordinal)
    )

  /** A job to be taken in place of a new one. A map costs nothing, and a synchronous extraction is in no list. */
  const orphanOf = ({ body, request: { kind, url, whenLost } }: PendingSubmission) =>
    kind === "map" || whenLost !== "find" ? Effect.succeed(undefined) : orphans.find({ kind, url, body })

  const submitOnce = (pending: PendingSubmission, made = 0, isDecided = false): Submitted =>
    Effect.gen(function* () {
      const { kind, ordinal, tokens, url } = pending.request
      // Of a run that had ended, everything has been asked for. A map costs nothing, and what it answered is needed again.
      if (cancel || (supersedes !== undefined && tokens > 0)) return undefined
      const orphan = isDecided ? undefined : yield* orphanOf(pending)
      const granted = budgetTracker.grant(tokens)
      if (granted === 0 && tokens > 0) return undefined
      // Of a job that is adopted, when it was made: if this process dies now, the next one looks for it from then on.
      const submittedAt = orphan?.createdAt ?? (yield* Clock.currentTimeMillis)
      submittedOrdinals.add(ordinal)
      yield* ledger.recordIntent(run, {
        kind,
        ordinal,
        url,
        requestHash: pending.requestHash,
        submittedAt,
        tokens: granted
      })
      // Only now that others see it can ours be weighed against theirs: of two at once, one at least sees the other.
      if (isShared(options.budget)) {
        budgetTracker.allow(yield* remainingBudget(options.budget, ledger, run))
        if (budgetTracker.isOverdrawn()) {
          budgetTracker.deny(granted)
          yield* rollBack(pending)
          return undefined
        }
      }
      yield* mark?.advance(submittedOrdinals.size, doubt) ?? Effect.void
      if (orphan !== undefined) {
        yield* warn(`adopted job ${orphan.jobId} (${kind} of ${url}), which no run explained`)
        budgetTracker.assign(granted, tokens, orphan.jobId)
        return yield* record(pending, orphan.jobId as JobId, submittedAt)
      }
      const answer = yield* Effect.result(pending.post(granted))
      if (answer._tag === "Success") {
        budgetTracker.assign(granted, tokens, answer.success.jobId)
        return yield* Effect.tap(record(pending, answer.success.jobId), orphans.tell)
      }
      const error = answer.failure
      budgetTracker.release(granted)
      if (error.tookNoEffect) {
        yield* rollBack(pending)
        return yield* error
      }
      yield* Effect.logWarning(`the answer to a submission (${kind} of ${url}) was lost`)
      return yield* settle(pending, submittedAt, { error, made })
    })

  const resubmit = (pending: PendingSubmission, made = 0): Submitted =>
    Effect.andThen(rollBack(pending), submitOnce(pending, made, true))

  /** What became of a submission whose answer was lost, to this process (with `lost`) or to an earlier one. */
  const settle = (
    pending: PendingSubmission,
    submittedAt: number,
    lost?: { readonly error: ScraperError; readonly made: number }
  ): Submitted =>
    Effect.gen(function* () {
      if (decision !== undefined && decision !== "adopt all") {
        const decided = decision
        decision = undefined
        return yield* decided === "resubmit" ? resubmit(pending) : record(pending, decided.adopt as JobId)
      }
      const { kind, url, whenLost } = pending.request
      if (whenLost === "ask again") {
        // An API that is down stays so: what cannot be asked now is asked by the next attempt.
        return yield* lost === undefined ? resubmit(pending) : lost.error
      }
      if (whenLost === "give up" || kind === "map") return yield* new AnswerLost({ url })
      const { body } = pending
      const known = { isKnown: ledger.findKnown, recent: recentJobs(kind, submittedAt) }
      const found = yield* findLostSubmission(
        options.scraper,
        { kind, url, body, submittedAt },
        known,
        options.adoption
      )
      if (found === undefined) {
        if (lost === undefined || lost.made < mostResubmissions) return yield* resubmit(pending, (lost?.made ?? 0) + 1)
        yield* rollBack(pending)
        return yield* lost.error
      }
      yield* Effect.logWarning(`adopted job ${found.jobId} for a submission whose answer was lost`)
      return yield* record(pending, found.jobId)
    })

  return {
    hasSubmitted: () => submittedOrdinals.size > 0,
    expectsPages: true,
    warn,
    keepsRawResults: vault !== undefined,
    submit: ({ body, ...request }, post) => {
      const whole = body(request.tokens)
      const requestHash = canonicalHash(whole)
      const pending: PendingSubmission = { request, requestHash, body: whole, post: (granted) => post(body(granted)) }
      const known = submissions.get(request.ordinal)
      // Only the jobs the ledger knows distinguish two submissions of the same request: the next one waits until it knows this one.
      if (known === undefined) return withLock(requestHash, submitOnce(pending))
      if (known.requestHash !== requestHash) {
        return Effect.fail(new RequestChanged({ ordinal: request.ordinal, url: request.url }))
      }
      if (known.jobId === null) return withLock(requestHash, settle(pending, known.submittedAt))
      budgetTracker.assume(known.tokens, request.tokens, known.jobId, tracker.job(known.jobId))
      return Effect.succeed(known.jobId as JobId)
    },
    committed: (jobId) => Effect.sync(() => seen(jobId)),
    progress: (snapshot) =>
      Effect.suspend(() => {
        tracker.observe(snapshot)
        const isBeyond = budgetTracker.onSnapshot(snapshot)
        return Effect.as(options.notify, isBeyond || cancel ? "cancel" : "continue")
      }),
    explain: (note) => Effect.sync(() => tracker.explain(note)),
    unreconciled: (reason) => Effect.sync(() => options.onUnreconciled(reason))
  }
}
