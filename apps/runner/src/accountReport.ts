import type { AccountAudit, AccountDay, RunOfDay } from "@sluice/core/types"
import { describeTable } from "./table.ts"

/** An audit of the account as JSON has it. */
export const accountJson = ({ days, findings }: AccountAudit) => ({
  charged: sumOf(days, "charged"),
  explained: sumOf(days, "explained"),
  unexplained: sumOf(days, "unexplained"),
  missing: sumOf(days, "missing"),
  days: days.map(({ charged, date, explained, missing, runs, runsOfDay, unexplained }) => ({
    date,
    charged,
    explained,
    unexplained,
    missing,
    runs,
    runs_of_day: runsOfDay.map(({ jobs, pipeline, runId, tokens, works }) => ({
      run_id: runId,
      pipeline,
      tokens,
      jobs,
      jobs_of_run: works.map(({ charged, jobId, kind, maybe }) => ({ job_id: jobId, kind, charged, maybe }))
    }))
  })),
  findings
})

/** The days on which there is anything to tell, as a table, and what ran on those that differ. */
export const describeAccount = ({ days }: AccountAudit): string => {
  const told = days.filter(({ charged, missing, runs }) => charged + missing + runs > 0)
  if (told.length === 0) return `no charges and no runs in ${days.length} days`
  const table = describeTable(
    told.map(({ charged, date, explained, missing, runs, unexplained }) => ({
      day: date,
      charged,
      explained,
      unexplained,
      missing,
      runs
    }))
  )
  return [table, ...told.filter(differs).map(describeDay)].join("\n")
}

const differs = ({ missing, unexplained }: AccountDay): boolean => missing + unexplained > 0

const describeDay = ({ date, runs, runsOfDay }: AccountDay): string => {
  const more = runs > runsOfDay.length ? [`  and ${runs - runsOfDay.length} more runs`] : []
  return [
    `${date}: ${runs === 0 ? "no run of this ledger" : "runs of the day"}`,
    ...runsOfDay.map(describeRun),
    ...more
  ].join("\n")
}

const describeRun = ({ jobs, pipeline, runId, tokens, works }: RunOfDay): string => {
  const lines = works.map(
    ({ charged, jobId, kind, maybe }) =>
      `    ${kind === null ? "" : `${kind} `}${jobId}: ${charged} tokens${maybe === 0 ? "" : `, and up to ${maybe} more`}`
  )
  const more = jobs > works.length ? [`    and ${jobs - works.length} more jobs`] : []
  return [`  run ${runId} of ${pipeline}: ${tokens} tokens`, ...lines, ...more].join("\n")
}

const sumOf = (days: ReadonlyArray<AccountDay>, member: "charged" | "explained" | "unexplained" | "missing"): number =>
  days.reduce((sum, day) => sum + day[member], 0)
