import type { PageRecord } from "@sluice/core"
import {
  type AuditClaim,
  type AuditFinding,
  cleanText,
  deadLetterOf,
  findingsOf,
  type SinkError
} from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import type { Database, Row } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import type { LoadMode, PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { fingerprint } from "../pages/Fingerprint.ts"
import { placeOf } from "../pages/PageSets.ts"
import { type ExistingRecord, existingOf, existingRecords, listOf, pagesInScope, type Scope } from "./ExistingRecord.ts"

/** Pages that are looked up at once. */
const pagesAtOnce = 50

/**
 * Compares what the tables hold of a run with what its receipt claims: numbers of rows, each page against its fingerprint or, where what was
 * delivered is at hand, against that, and quarantined records.
 */
export const auditRun = (
  database: Database,
  config: Pick<PostgresSinkConfig, "mode" | "name">,
  claim: AuditClaim
): Stream.Stream<AuditFinding, DatabaseError | SinkError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const scope = yield* scopeOf(database, config, claim)
      const inform = findingsOf(config.name)
      if (scope === undefined) {
        const detail = claim.isPublished
          ? "a later run has been published in place of this one"
          : "the run was not published, and its pages are no longer kept"
        return Stream.make(inform.unknown("pages", detail))
      }
      const isCountable = !mayBeElsewhere(config.mode, claim)
      const counted = yield* countRows(database, scope, claim)
      const replayed = counted.replayed
      const claimed = { ...claim.claimed.rows, pages: claim.claimed.rows.pages + replayed }
      const pages = (["pages", "links", "page_metadata"] as const).flatMap((table) => {
        if (counted[table] === claimed[table] || (replayed > 0 && table !== "pages")) return []
        const detail = `${counted[table]} rows stand, the receipt claims ${claimed[table]}`
        return [
          isCountable
            ? inform.differs(table, detail)
            : inform.unknown(table, `${detail}; other jobs may have delivered the same pages, before or since`)
        ]
      })
      const deadLetters =
        counted.dead_letters === claim.claimed.dead_letters
          ? []
          : [
              inform.differs(
                "dead_letters",
                `${counted.dead_letters} records are dead letters, the receipt claims ${claim.claimed.dead_letters}`
              )
            ]
      const rows =
        claim.records === undefined
          ? Stream.flatMap(existingRecords(database, scope), (existing) =>
              Stream.fromIterable(byItself(existing).map((detail) => inform.differs(existing.record.url, detail)))
            )
          : Stream.mapEffect(claim.records, (records) => compareAll(database, scope, records, !isCountable)).pipe(
              Stream.flattenIterable,
              Stream.map(([url, detail]) => inform.differs(url, detail))
            )
      return Stream.concat(Stream.fromIterable([...pages, ...deadLetters]), rows)
    })
  )

/** Whether pages that this run delivered may stand as another delivery of them: what readers see is one of each. */
const mayBeElsewhere = (mode: LoadMode, { isLatest, receipt }: AuditClaim): boolean =>
  mode === "history" || (mode === "merge" && (!isLatest || receipt.jobs.length > 1))

/** The sets and jobs of a run; undefined where its set is no longer what readers see. */
const scopeOf = Effect.fnUntraced(function* (
  database: Database,
  { mode, name }: Pick<PostgresSinkConfig, "mode" | "name">,
  { isPublished, pipeline, receipt, runId }: AuditClaim
): Effect.fn.Return<Scope | undefined, DatabaseError> {
  const jobs = yield* database.query(
    "SELECT job_no FROM jobs WHERE job_id IN (SELECT json_array_elements_text($1::json))",
    [JSON.stringify(receipt.jobs.map(({ job_id: jobId }) => cleanText(jobId)))]
  )
  const sets = yield* database.query(
    `SELECT set_no, state FROM page_sets WHERE pipeline = $1 AND sink = $2 AND mode = $3
       AND ($3 <> 'append' OR job_no = ANY ($4::int[])) AND ($3 <> 'replace' OR run_id = $5::uuid)`,
    [...placeOf({ pipeline, sink: name }), mode, listOf(jobs.map(({ job_no: jobNo }) => Number(jobNo))), runId]
  )
  const isGone = ({ state }: Row) => state === "superseded" || state === "removed"
  if (mode === "replace" && (isPublished ? !sets.some(({ state }) => state === "current") : sets.some(isGone))) {
    return undefined
  }
  return {
    sets: sets.map(({ set_no: setNo }) => Number(setNo)),
    // In history an unchanged page is as the job that found it first delivered it.
    jobs: mode === "history" ? null : jobs.map(({ job_no: jobNo }) => Number(jobNo))
  }
})

const countRows = Effect.fnUntraced(function* (
  database: Database,
  { jobs, sets }: Scope,
  { claimed, runId }: AuditClaim
): Effect.fn.Return<Record<"pages" | "links" | "page_metadata" | "dead_letters" | "replayed", number>, DatabaseError> {
  const [row] = yield* database.query(
    `WITH mine AS MATERIALIZED (${pagesInScope})
     SELECT (SELECT count(*) FROM mine)::float8 AS pages,
       (SELECT count(*) FROM mine JOIN links USING (set_no, page_key))::float8 AS links,
       (SELECT count(*) FROM mine JOIN page_metadata USING (set_no, page_key))::float8 AS page_metadata,
       (SELECT count(*) FROM dead_letters WHERE run_id = $3 AND sink = $4)::float8 AS dead_letters,
       (SELECT count(*) FROM dead_letters WHERE run_id = $3 AND sink = $4 AND replayed_at IS NOT NULL)::float8 AS replayed`,
    [listOf(sets), jobs && listOf(jobs), runId, cleanText(claimed.name)]
  )
  const count = (name: string) => Number(row?.[name] ?? 0)
  return {
    pages: count("pages"),
    links: count("links"),
    page_metadata: count("page_metadata"),
    dead_letters: count("dead_letters"),
    replayed: count("replayed")
  }
})

/** What is wrong with a page by its own account. */
const byItself = ({ fingerprint: loaded, hasMetadata, record }: ExistingRecord): ReadonlyArray<string> => [
  ...(loaded !== null && loaded !== fingerprint(record) ? ["its content is not what was landed"] : []),
  ...(hasMetadata ? [] : ["it has no row in page_metadata"])
]

/** Compares pages with what was delivered. What tables cannot hold was quarantined, and is counted there. */
const compareAll = Effect.fnUntraced(function* (
  database: Database,
  scope: Scope,
  delivered: ReadonlyArray<PageRecord>,
  mayBeReplaced: boolean
): Effect.fn.Return<ReadonlyArray<readonly [url: string, detail: string]>, DatabaseError> {
  const found: Array<readonly [string, string]> = []
  const loaded = delivered.filter((record) => deadLetterOf(record) === undefined)
  for (let at = 0; at < loaded.length; at += pagesAtOnce) {
    const some = loaded.slice(at, at + pagesAtOnce)
    const rows = yield* existingOf(
      database,
      scope,
      some.map(({ key }) => key)
    )
    const existing = new Map(rows.map((row) => [pageOf(scope, row.record), row]))
    for (const record of some) {
      const row = existing.get(pageOf(scope, record))
      // In history, what another job delivered is this page or another version of it.
      if (row === undefined || (scope.jobs === null && row.record.jobId !== record.jobId)) {
        if (!mayBeReplaced) found.push([record.url, "it was delivered and does not stand"])
        continue
      }
      if (fingerprint(row.record) !== fingerprint(record))
        found.push([record.url, "its content is not what was delivered"])
      if (!row.hasMetadata) found.push([record.url, "it has no row in page_metadata"])
      else if (!isFetchedAlike(row.record, record))
        found.push([record.url, "its row in page_metadata is not what was delivered"])
    }
  }
  return found
})

const pageOf = ({ jobs }: Scope, { jobId, key }: PageRecord): string => (jobs === null ? `${key}` : `${jobId} ${key}`)

const isFetchedAlike = (one: PageRecord, other: PageRecord): boolean =>
  one.httpStatus === other.httpStatus &&
  one.durationMs === other.durationMs &&
  one.retryCount === other.retryCount &&
  one.tokensCharged === other.tokensCharged
