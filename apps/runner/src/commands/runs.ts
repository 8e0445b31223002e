import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { ledgerCliError } from "../cliErrors.ts"
import { openRuns } from "../database.ts"
import { printResult } from "../Output.ts"
import { runCounts } from "../runCounts.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice runs`: what has been run, newest first. */
export const runs = Command.make(
  "runs",
  {
    file: pipelineArgument,
    json: jsonFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("Most runs to list"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
      Flag.withDefault(20)
    )
  },
  Effect.fnUntraced(function* ({ file, json, limit }) {
    const ledger = yield* openRuns(file)
    const rows = yield* ledger.runs({ limit }).pipe(Effect.mapError(ledgerCliError))
    const counts = yield* Effect.forEach(rows, (row) => runCounts(ledger, row))
    const listed = rows.map((row, at) => ({
      run_id: row.runId,
      pipeline: row.pipeline,
      config_hash: row.configHash,
      status: row.status,
      started_at: new Date(row.startedAt).toISOString(),
      finished_at: row.finishedAt === null ? null : new Date(row.finishedAt).toISOString(),
      ...counts[at]!,
      ...(row.receipt?.reason === undefined ? {} : { reason: row.receipt.reason }),
      ...(row.receipt?.unpublished === undefined
        ? {}
        : {
            unpublished: row.receipt.unpublished,
            published_at: row.publishedAt === null ? null : new Date(row.publishedAt).toISOString()
          }),
      ...(row.superseded.length === 0
        ? {}
        : {
            superseded: row.superseded.map(({ finished_at, pages, status }) => ({
              status,
              finished_at,
              pages: pages.delivered
            }))
          })
    }))
    const lines = listed.map(
      (row) =>
        `${row.run_id}  ${row.started_at}  ${row.status.padEnd(14)} ${`${row.pages ?? "-"}`.padStart(8)} pages  ${row.pipeline}${earlier(row.superseded ?? [])}${noteOf(row)}`
    )
    yield* printResult(json ? JSON.stringify(listed) : lines.length === 0 ? "no runs yet" : lines.join("\n"))
  }, Effect.scoped)
).pipe(Command.withDescription("List runs, newest first"))

/** The receipts that the latest one supersedes, oldest first. */
const earlier = (superseded: ReadonlyArray<{ readonly status: string; readonly finished_at: string }>): string =>
  superseded.length === 0
    ? ""
    : `  (supersedes ${superseded.map(({ finished_at, status }) => `${status} of ${finished_at}`).join(", ")})`

/** What a run that was loaded whole and not published is waiting for. */
const noteOf = (row: {
  readonly run_id: string
  readonly reason?: string
  readonly unpublished?: object
  readonly published_at?: string | null
}): string => {
  if (row.unpublished === undefined) return ""
  return typeof row.published_at === "string"
    ? `  published by hand at ${row.published_at}`
    : `  unpublished (sluice publish ${row.run_id}): ${row.reason}`
}
