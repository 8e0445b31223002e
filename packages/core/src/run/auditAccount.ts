import { Clock, DateTime, Effect } from "effect"
import { Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import type { Ledger, LedgerError, RunSummary } from "../ledger/Ledger.ts"
import { type AuditFinding, findingsOf } from "../sink/Audit.ts"
import { type AccountAudit, type AccountDay, accountBounds, type RunOfDay } from "./AccountAudit.ts"
import { type ChargedWork, chargedWorkOf } from "./ChargedWork.ts"
import { type ExpectedCharge, type ExplainedDay, explainCharges } from "./explainCharges.ts"

/** Which account is audited: that of the API the `Scraper` talks to. */
export interface AccountAuditOptions {
  readonly ledger: Ledger
  /** Days of UTC up to today, which is one of them: 1 to {@link accountBounds}`.days`. */
  readonly days: number
}

const dayMs = 86_400_000
/** How far the API's clock and ours may differ: work near midnight may have been charged on either side. */
const clockSkewMs = 120_000
/** Runs that are read at once. */
const runsAtOnce = 4

const ofAccount = findingsOf("account")

/**
 * Holds what the API says it has charged, day by day, against what the runs of a ledger say they were charged, and names the charges
 * that no run explains. Days are those of UTC. Asks the API once.
 */
export const auditAccount = Effect.fn("Pipeline.auditAccount")(function* ({
  days,
  ledger
}: AccountAuditOptions): Effect.fn.Return<AccountAudit, LedgerError | ScraperError, Scraper> {
  const scraper = yield* Scraper
  const now = yield* Clock.currentTimeMillis
  const today = Math.floor(now / dayMs)
  const count = Math.max(1, Math.min(accountBounds.days, days))
  const first = today - count + 1
  // The ledger after the account: what is charged in between would look unexplained.
  const usage = yield* Effect.catchIf(
    scraper.getAccountUsage({ from: first * dayMs, to: now }),
    ({ reason }) => reason._tag === "NotFound" || reason._tag === "InvalidRequest" || reason._tag === "Unreadable",
    (error) => Effect.succeed(error.message)
  )
  if (typeof usage === "string") {
    const detail = `the API does not tell what the account was charged: ${usage}`
    return { days: [], findings: [ofAccount.unknown("statistics", detail)] }
  }
  const charged = Array.from({ length: count }, () => 0)
  const others: Array<AuditFinding> = []
  for (const { at, tokens } of usage.days) {
    const day = Math.floor(at / dayMs) - first
    if (day >= 0 && day < count) charged[day]! += tokens
    else if (tokens > 0)
      others.push(ofAccount.unknown(dateOf(first + day), "the API tells of a day that was not asked for"))
  }
  const sum = usage.days.reduce((total, { tokens }) => total + tokens, 0)
  if (usage.total !== null && usage.total !== sum) {
    const detail = `its days add up to ${sum} tokens, and it says that the period has cost ${usage.total}`
    others.push(ofAccount.unknown("statistics", detail))
  }
  const runs = yield* ledger.runs({ limit: accountBounds.ledgerRuns })
  if (runs.length >= accountBounds.ledgerRuns) {
    const detail = `the ledger has ${accountBounds.ledgerRuns} runs or more: older ones are not looked at`
    others.push(ofAccount.unknown("runs", detail))
  }
  const groups = yield* groupsOf(ledger, runs, { first, now })
  const explained = explainCharges(
    charged,
    groups.flatMap((group) => expectedOf(group, count))
  )
  return {
    days: explained.map((day, at) => dayOf(first, at, day, groups)),
    findings: [...others, ...explained.flatMap((day, at) => findingsOn(dateOf(first + at), day, first + at === today))]
  }
})

/** Work of a run that may have been charged on the same days, counted from the first that is compared; they may lie outside. */
interface WorkGroup {
  readonly run: RunSummary
  readonly from: number
  readonly to: number
  charged: number
  maybe: number
  jobs: number
  /** {@link accountBounds}`.jobs` of them at most. */
  readonly works: Array<ChargedWork>
}

/** What runs did on the days that are compared. */
const groupsOf = Effect.fnUntraced(function* (
  ledger: Ledger,
  runs: ReadonlyArray<RunSummary>,
  { first, now }: { readonly first: number; readonly now: number }
): Effect.fn.Return<ReadonlyArray<WorkGroup>, LedgerError> {
  const since = first * dayMs - clockSkewMs
  const replayed = new Set<string>()
  const recent = runs.filter(({ finishedAt }) => finishedAt === null || finishedAt >= since)
  const found = yield* Effect.forEach(
    recent.filter((run) => !isReplayOf(run, runs)),
    (run) =>
      Effect.map(chargedWorkOf(ledger, run, now), (works) => {
        const isReplayed = run.replayedFrom !== undefined
        const own = works.filter(({ charged, jobId, maybe, to }) => {
          if (to < since || charged + maybe === 0 || replayed.has(jobId)) return false
          if (isReplayed) replayed.add(jobId)
          return true
        })
        return grouped(run, own, first)
      }),
    { concurrency: runsAtOnce }
  )
  return found.flat()
})

/** Whether a run is one of these, replayed into another pipeline: its jobs were paid for once. */
const isReplayOf = ({ replayedFrom }: RunSummary, runs: ReadonlyArray<RunSummary>): boolean =>
  replayedFrom !== undefined && runs.some(({ runId }) => runId === replayedFrom)

const grouped = (run: RunSummary, works: ReadonlyArray<ChargedWork>, first: number): ReadonlyArray<WorkGroup> => {
  const groups = new Map<string, WorkGroup>()
  for (const work of works) {
    const from = Math.floor((work.from - clockSkewMs) / dayMs) - first
    const to = Math.floor((work.to + clockSkewMs) / dayMs) - first
    const key = `${from} ${to}`
    const group = groups.get(key) ?? { run, from, to, charged: 0, maybe: 0, jobs: 0, works: [] }
    groups.set(key, group)
    group.charged += work.charged
    group.maybe += work.maybe
    group.jobs++
    if (group.works.length < accountBounds.jobs) group.works.push(work)
  }
  return [...groups.values()]
}

/** What is not wholly on days that are compared may have been charged on others. */
const expectedOf = ({ charged, from, maybe, to }: WorkGroup, count: number): ReadonlyArray<ExpectedCharge> => {
  // A job that ends just before midnight is not charged tomorrow.
  const until = Math.min(to, count - 1)
  return [
    { from, to: until, tokens: charged, isCertain: from >= 0 },
    { from, to: until, tokens: maybe, isCertain: false }
  ].filter(({ tokens }) => tokens > 0)
}

const dateOf = (day: number): string => DateTime.formatIsoDateUtc(DateTime.makeUnsafe(day * dayMs))

const dayOf = (
  first: number,
  at: number,
  { charged, explained, missing }: ExplainedDay,
  groups: ReadonlyArray<WorkGroup>
): AccountDay => {
  const ofDay = Map.groupBy(
    groups.filter(({ from, to }) => from <= at && to >= at),
    ({ run }) => run
  )
  const unexplained = charged - explained
  const isDifferent = unexplained > 0 || missing > 0
  return {
    date: dateOf(first + at),
    charged,
    explained,
    unexplained,
    missing,
    runs: ofDay.size,
    runsOfDay: isDifferent ? [...ofDay].slice(0, accountBounds.runs).map(([run, groups]) => runOf(run, groups)) : []
  }
}

const runOf = ({ pipeline, runId }: RunSummary, groups: ReadonlyArray<WorkGroup>): RunOfDay => ({
  runId,
  pipeline,
  tokens: groups.reduce((sum, { charged }) => sum + charged, 0),
  jobs: groups.reduce((sum, { jobs }) => sum + jobs, 0),
  works: groups
    .flatMap(({ works }) => works)
    .slice(0, accountBounds.jobs)
    .map(({ charged, jobId, kind, maybe }) => ({ jobId, kind, charged, maybe }))
})

const findingsOn = (
  date: string,
  { charged, explained, missing }: ExplainedDay,
  isToday: boolean
): ReadonlyArray<AuditFinding> => {
  const found: Array<AuditFinding> = []
  if (charged > explained) {
    const detail = `the API has charged ${charged} tokens, of which runs explain ${explained}: ${charged - explained} are of no run in this ledger`
    found.push(ofAccount.differs(date, detail))
  }
  if (missing > 0) {
    const detail = `runs were charged ${missing} tokens that the API's account does not show`
    // It may be behind, and is not to be told from one that is wrong until the day is over.
    found.push(
      isToday
        ? ofAccount.unknown(date, `${detail} yet`)
        : ofAccount.differs(date, `${detail}: another key or API may have served them`)
    )
  }
  return found
}
