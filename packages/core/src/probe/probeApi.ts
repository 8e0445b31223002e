import { Clock, DateTime, Effect, Redacted } from "effect"
import { HttpClient } from "effect/http"
import type { ScraperError } from "../api/ScraperError.ts"
import { Answers } from "./Answers.ts"
import { type ApiProfile, profileVersion } from "./ApiProfile.ts"
import { askAccess, askRefusal } from "./askAccess.ts"
import { askBatch } from "./askBatch.ts"
import { askCancel } from "./askCancel.ts"
import { askCrawl } from "./askCrawl.ts"
import { askExtract } from "./askExtract.ts"
import { askLists } from "./askLists.ts"
import { askMap } from "./askMap.ts"
import { askRates } from "./askRates.ts"
import { Cassette } from "./Cassette.ts"
import { ProbeClient } from "./ProbeClient.ts"
import { isUnfinished, ProbeLog, type ProbeLogError } from "./ProbeLog.ts"
import { type ProbeOptions, probeDefaults } from "./ProbeOptions.ts"
import type { Session } from "./Session.ts"
import { Spend } from "./Spend.ts"
import { cancelJob } from "./watchJob.ts"

/** What a probe needs to be told. */
export interface ProbeRequest extends Partial<ProbeOptions> {
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted
  readonly target: string
  /** Leaves an earlier probe that did not end: its jobs are cancelled, and everything is asked and paid for again. */
  readonly fresh?: boolean
  /** Called as each part of the probe begins. */
  readonly onPart?: (name: string) => Effect.Effect<void>
}

/** What a probe has found. */
export interface Probed {
  readonly profile: ApiProfile
  readonly cassette: Cassette
  /** What went otherwise than it should. */
  readonly notes: ReadonlyArray<string>
  /** Whether a submission was lost, a job did not end, or one costs more than it may: something was paid for that says nothing. */
  readonly incomplete: boolean
  readonly outOfBalance: boolean
}

/**
 * Asks an API the open questions of its contract. Free questions cost nothing; the others are at most six submissions within the bound
 * of tokens, each sent once. A probe that broke off is resumed from its log: what it has submitted is read, and not submitted again. Jobs
 * that are left running are cancelled, also where the probe is interrupted.
 */
export const probeApi = Effect.fn("Probe.probeApi")(function* (
  request: ProbeRequest
): Effect.fn.Return<Probed, ScraperError | ProbeLogError, HttpClient.HttpClient | ProbeLog> {
  const options: ProbeOptions = { ...probeDefaults, ...request }
  const log = yield* ProbeLog
  const http = yield* HttpClient.HttpClient
  const startedAt = yield* Clock.currentTimeMillis
  const cassette = new Cassette([Redacted.value(options.apiKey)], options.target)
  const client = new ProbeClient(options, http, cassette, startedAt)
  const session: Session = {
    options,
    log,
    client,
    cassette,
    spend: new Spend(options.tokens),
    answers: new Answers([Redacted.value(options.apiKey)]),
    open: new Map(),
    states: new Set(),
    notes: [],
    hasTrouble: false,
    outOfBalance: false
  }
  const { fresh = false, onPart = () => Effect.void } = request
  yield* onPart("access")
  yield* askAccess(session)
  if (fresh) yield* cancelEarlier(session)
  if (fresh || !isUnfinished(log.entries)) {
    yield* log.clear
    yield* log.append({
      entry: "begun",
      at: startedAt,
      api: client.origin,
      target: options.target,
      tokens: options.tokens
    })
  }
  yield* askPaid(session, onPart).pipe(Effect.onExit(() => cancelOpen(session)))
  const { answers, spend, states } = session
  answers.see("jobs.states", [...states].sort(), "jobs and results of the probe")
  yield* log.append({ entry: "finished", at: yield* Clock.currentTimeMillis })
  const now = yield* Clock.currentTimeMillis
  const profile = {
    sluice_profile: profileVersion,
    api: client.origin,
    probed_at: DateTime.formatIso(DateTime.makeUnsafe(now)),
    tokens_charged: spend.total,
    answers: answers.toJSON() as ApiProfile["answers"]
  } satisfies ApiProfile
  const incomplete = session.open.size > 0 || session.hasTrouble
  return { profile, cassette, notes: session.notes, incomplete, outOfBalance: session.outOfBalance }
})

/** The steps in their order. The older of two crawls is the one that is cancelled; lists are asked when they show both. */
const parts = [
  ["refusals", askRefusal],
  ["extractions", askExtract],
  ["batch", askBatch],
  ["map", askMap],
  ["cancellation", askCancel],
  ["crawl", askCrawl],
  ["lists", askLists],
  ["rates", askRates]
] as const

const askPaid = Effect.fnUntraced(function* (session: Session, onPart: NonNullable<ProbeRequest["onPart"]>) {
  for (const [name, ask] of parts) {
    yield* onPart(name)
    yield* ask(session)
  }
})

/** Cancels what an earlier probe has left running. */
const cancelEarlier = Effect.fnUntraced(function* (session: Session) {
  for (const step of ["batch", "crawl", "cancelled crawl"] as const) {
    const own = session.log.entries.filter((entry) => "step" in entry && entry.step === step)
    const made = own.findLast((entry) => entry.entry === "answered")
    if (made?.entry !== "answered" || made.job === null || own.some(({ entry }) => entry === "ended")) continue
    const job = { kind: step === "batch" ? "batch" : "crawl", jobId: made.job, adopted: made.adopted } as const
    yield* cancelJob(session, step, job)
    session.spend.charge(step, 0)
  }
})

/** Leaves nothing running that can be cancelled. What fails here is tried again by the next probe. */
const cancelOpen = (session: Session) =>
  Effect.forEach([...session.open], ([step, job]) => Effect.ignore(cancelJob(session, step, job)), {
    discard: true
  }).pipe(Effect.interruptible, Effect.timeoutOption(cancelWithin))

/** How long a probe that ends may take to cancel what it leaves. */
const cancelWithin = "10 seconds"
