import type { JobSnapshot } from "@sluice/core/sink"
import { layoutTable, type TableColumn } from "./layoutTable.ts"
import { duration } from "./progressText.ts"
import type { ShownRun } from "./runsReader.ts"

/** The columns of `sluice runs`. */
const columns: ReadonlyArray<TableColumn> = [
  { name: "RUN" },
  { name: "STARTED" },
  { name: "DURATION", isNumber: true },
  { name: "STATUS" },
  { name: "PAGES", isNumber: true },
  { name: "FAILED", isNumber: true },
  { name: "TOKENS", isNumber: true },
  { name: "PIPELINE" },
  { name: "REASON" }
]

/** The shortest run ID that a narrow terminal shows: the beginnings of IDs that are made at one time are alike. */
const shortestId = 8
/** Terminals narrower than this show the beginnings of IDs. */
const wideTerminal = 160

/** What is counted of a run: by its receipt, or while it has none by what was loaded. */
export const countsOf = ({ run, state }: ShownRun) => {
  const { receipt } = run
  if (receipt !== null) {
    return { pages: receipt.pages.delivered, failed: receipt.pages.failed, tokens: receipt.tokens.charged }
  }
  if (state === undefined) return undefined
  const sum = (count: (job: JobSnapshot) => number) => state.jobs.reduce((total, job) => total + count(job), 0)
  const loaded = [...state.loaded.values()].map(({ rows }) => rows.pages)
  return {
    pages: loaded.length === 0 ? 0 : Math.min(...loaded),
    failed: sum(({ failed }) => failed),
    tokens: sum(({ tokensCharged }) => tokensCharged)
  }
}

/** How long a run took, or takes so far, in milliseconds; undefined of one that nobody carries out. */
const millisOfRun = ({ holder, run }: ShownRun, now: number): number | undefined =>
  run.finishedAt !== null
    ? run.finishedAt - run.startedAt
    : holder === undefined
      ? undefined
      : Math.max(0, now - run.startedAt)

/** Runs as a table with a head. With `width` its lines fit a terminal of so many columns. */
export const describeRuns = (runs: ReadonlyArray<ShownRun>, now: number, width?: number): ReadonlyArray<string> => {
  const length = width === undefined || width >= wideTerminal ? 36 : uniqueLength(runs.map(({ run }) => run.runId))
  return layoutTable(
    columns,
    runs.map((shown) => {
      const { run } = shown
      const counts = countsOf(shown)
      const millis = millisOfRun(shown, now)
      const number = (value: number | undefined) => (value === undefined ? "-" : `${value}`)
      return [
        run.runId.slice(0, length),
        new Date(run.startedAt).toISOString().replace(/\.\d+Z$/, "Z"),
        millis === undefined ? "-" : duration(millis / 1000),
        run.status,
        number(counts?.pages),
        number(counts?.failed),
        number(counts?.tokens),
        run.pipeline,
        noteOf(shown)
      ]
    }),
    width
  )
}

/** How many characters tell the IDs of a list from each other. */
const uniqueLength = (ids: ReadonlyArray<string>): number => {
  for (let length = shortestId; length < 36; length++) {
    if (new Set(ids.map((id) => id.slice(0, length))).size === ids.length) return length
  }
  return 36
}

/** Why a run ended as it did, whether it is published, and which receipts its own supersedes. */
export const noteOf = ({ holder, run }: ShownRun): string => {
  const { publishedAt, receipt, runId, status, superseded } = run
  const published =
    receipt?.unpublished === undefined
      ? undefined
      : publishedAt === null
        ? `unpublished (sluice publish ${runId})`
        : `published by hand at ${new Date(publishedAt).toISOString()}`
  const open = receipt !== null ? undefined : holder === undefined ? "not ended: the next run resumes it" : undefined
  const earlier =
    superseded.length === 0
      ? undefined
      : `supersedes ${superseded.map((one) => `${one.status} of ${one.finished_at}`).join(", ")}`
  return [published, status === "completed" ? undefined : receipt?.reason, open, earlier]
    .filter((part) => part !== undefined)
    .join("; ")
    .replace(/\s+/g, " ")
}

/** A run as `--json` lists it. */
export const runJson = (shown: ShownRun, now: number) => {
  const { run } = shown
  const counts = countsOf(shown)
  const { publishedAt, receipt, superseded } = run
  return {
    run_id: run.runId,
    pipeline: run.pipeline,
    config_hash: run.configHash,
    status: run.status,
    started_at: new Date(run.startedAt).toISOString(),
    finished_at: run.finishedAt === null ? null : new Date(run.finishedAt).toISOString(),
    duration_ms: millisOfRun(shown, now) ?? null,
    pages: counts?.pages ?? null,
    failed_pages: counts?.failed ?? null,
    tokens: counts?.tokens ?? null,
    ...(receipt?.reason === undefined ? {} : { reason: receipt.reason }),
    ...(receipt?.unpublished === undefined
      ? {}
      : {
          unpublished: receipt.unpublished,
          published_at: publishedAt === null ? null : new Date(publishedAt).toISOString()
        }),
    ...(superseded.length === 0
      ? {}
      : {
          superseded: superseded.map(({ finished_at, pages, status }) => ({
            status,
            finished_at,
            pages: pages.delivered
          }))
        })
  }
}
