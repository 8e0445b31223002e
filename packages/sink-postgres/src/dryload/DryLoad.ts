import type { PageRecord } from "@sluice/core"
import { type DeadLetter, type PlannedRun, type RunHandle, weigh } from "@sluice/core/sink"
import { Clock, Effect } from "effect"
import type { Database, Transaction } from "../database/Database.ts"
import { DatabaseError, Denied, inFull, Other } from "../database/DatabaseError.ts"
import { nestedDatabase, takeBack } from "../database/nestedDatabase.ts"
import { writeSnapshots } from "../ledger/JobRows.ts"
import { makeRunId } from "../ledger/RunId.ts"
import { isRowRejection, type RowRejection } from "../load/Bisection.ts"
import { writeDeadLetters } from "../load/DeadLetters.ts"
import { loadsOf } from "../load/LoadPlan.ts"
import { updateMetadata } from "../load/LoadSegment.ts"
import { type Loss, noLoss, sumOf } from "../load/Loss.ts"
import { partitionRecords } from "../load/partitionRecords.ts"
import { makeSessionKeys } from "../load/SessionKeys.ts"
import type { PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { type SetRefusal, setOf } from "../pages/PageSets.ts"
import { openSet } from "../pages/ReplaceSet.ts"
import { dryPublish } from "./dryPublish.ts"
import { findCertain } from "./findCertain.ts"
import { findDifferences } from "./TableShapes.ts"

/**
 * Loads made-up pages as a run would, in a transaction that is rolled back: new, then changed, one as a dead letter, and
 * published. The first page that passes will do: what refuses one and takes another is the business of the dead letters. Where none
 * passes, the run is refused only if no page could. They go into a set of their own, so nothing of a real run is touched or waited for.
 */
export const dryLoad = Effect.fn("PostgresSink.dryLoad")(function* (
  database: Database,
  config: PostgresSinkConfig,
  { pipeline, samples }: PlannedRun
): Effect.fn.Return<void, DatabaseError | SetRefusal> {
  yield* database.assertRoom
  const lost = yield* takeBack(database, (_, tx) =>
    Effect.gen(function* () {
      yield* assertShapes(tx, database.schema)
      const refusals: Array<RowRejection> = []
      for (const sample of samples) {
        const nested = nestedDatabase(database, tx)
        const loaded = yield* nested
          .transaction(() => loadSample(nested, tx, config, pipeline, sample))
          .pipe(Effect.catchIf(isRowRejection, (refusal) => Effect.succeed(refusal)))
        if (!(loaded instanceof DatabaseError)) return loaded
        refusals.push(loaded)
      }
      const certain = yield* findCertain(tx, database.schema, refusals, samples)
      if (certain !== undefined) return yield* refusedEvery(certain)
      for (const { reason } of refusals.slice(0, 1).map(inFull)) yield* Effect.logWarning(mayRefuse(reason.detail))
      return noLoss
    })
  ).pipe(Effect.mapError(explainDenied))
  if (lost.pages.length + lost.links + lost.metadata > 0) {
    yield* Effect.logWarning(
      `a trigger drops rows that are written to the tables in schema "${database.schema}": they are neither kept nor counted`
    )
  }
})

const explainDenied = <E>(error: E): E | DatabaseError => {
  if (!(error instanceof DatabaseError) || error.reason._tag !== "Denied") return error
  const { detail } = error.reason
  if (!/^permission denied for (table|sequence|schema|function) /.test(detail)) return error
  const advice = `the role may not use Sluice's tables (${detail}); grant it SELECT, INSERT, UPDATE and DELETE on them`
  return new DatabaseError({ operation: error.operation, reason: new Denied({ detail: advice }) })
}

const assertShapes = Effect.fnUntraced(function* (tx: Transaction, schema: string) {
  const differences = yield* findDifferences(tx, schema)
  if (differences.length === 0) return
  const detail = `the tables in schema "${schema}" are not as Sluice made them: ${differences.slice(0, mostDifferences).join("; ")}`
  return yield* new DatabaseError({ operation: "dry load", reason: new Other({ sqlState: "", detail }) })
})

/** A sentence names so many differences at most. */
const mostDifferences = 5

const mayRefuse = (said: string): string =>
  `the made-up pages of the dry load are refused, and pages of the run may be: those would become dead letters (${said})`

/** The words are about a page of ours: they may be told in full. */
const refusedEvery = (refusal: RowRejection): Effect.Effect<never, DatabaseError> => {
  const { operation, reason } = inFull(refusal)
  const detail = `no page of this pipeline would be taken: ${reason.detail} (SQLSTATE ${refusal.reason.sqlState})`
  return Effect.fail(new DatabaseError({ operation, reason: new Other({ sqlState: refusal.reason.sqlState, detail }) }))
}

const loadSample = Effect.fnUntraced(function* (
  nested: Database,
  tx: Transaction,
  config: PostgresSinkConfig,
  pipeline: string,
  sample: PageRecord
): Effect.fn.Return<Loss, DatabaseError | SetRefusal> {
  const { mode } = config
  const now = yield* Clock.currentTimeMillis
  const run: RunHandle = { runId: yield* makeRunId(now), pipeline, configHash: "", startedAt: now, epoch: 1 }
  const trial = { ...config, name: `${config.name} (dry load)` }
  // Two of them at once must not wait for each other's job.
  const record = { ...sample, jobId: `${sample.jobId}-${run.runId}` }
  if (mode === "replace") yield* openSet(nested, setOf(trial, run, null))
  const keys = yield* makeSessionKeys(nested, trial, run).ofJobs(new Set([record.jobId]))
  if (keys.jobs.get(record.jobId) === undefined) return yield* dropped("jobs")
  const keyed = (each: PageRecord) =>
    partitionRecords(mode, [each], keys).records.map((found) => ({ ...found, mayExist: true }))

  const added = yield* loadsOf(mode).fast(tx, keyed(record))
  const changed = keyed({ ...changedOf(record) })
  const merged = yield* loadsOf(mode).careful(tx, changed)
  yield* updateMetadata(tx, changed)
  yield* writeDeadLetter(tx, trial.name, run, record)
  yield* writeSnapshots(tx, [snapshotOf(record, now)], keys.jobs)
  yield* dryPublish(nested, trial, run)
  return sumOf([added, merged])
})

/** One link less, so that a row of each kind is inserted, updated and removed. */
const changedOf = (record: PageRecord): PageRecord => {
  const changed = { ...record, links: record.links.slice(0, 1).map((link) => `${link}#`), retryCount: 1 }
  return { ...changed, bytes: weigh(changed) }
}

const writeDeadLetter = Effect.fnUntraced(function* (
  tx: Transaction,
  sink: string,
  { pipeline, runId }: RunHandle,
  record: PageRecord
): Effect.fn.Return<void, DatabaseError> {
  const deadLetter: DeadLetter = { record, reason: "refused", detail: "made up by a dry load" }
  const segment = { runId, epoch: 1, seq: 0, records: [record], jobs: [], bytes: record.bytes }
  yield* writeDeadLetters(tx, { pipeline, sink }, segment, [deadLetter]).pipe(
    // No page is at fault: another one would fare no better.
    Effect.mapError((error) => tellOf('a record that is refused could not be kept in the table "dead_letters"', error))
  )
  const rows = yield* tx.query("SELECT FROM dead_letters WHERE run_id = $1", [runId])
  if (rows.length === 0) return yield* dropped("dead_letters")
})

const tellOf = (what: string, error: DatabaseError): DatabaseError => {
  const { operation, reason } = inFull(error)
  return reason._tag === "Other"
    ? new DatabaseError({
        operation,
        reason: new Other({ sqlState: reason.sqlState, detail: `${what}: ${reason.detail}` })
      })
    : error
}

const dropped = (table: string): Effect.Effect<never, DatabaseError> => {
  const detail = `a trigger or a rule drops the rows that Sluice writes to the table "${table}", which it cannot do without`
  return Effect.fail(new DatabaseError({ operation: "dry load", reason: new Other({ sqlState: "", detail }) }))
}

const snapshotOf = ({ jobId, url }: PageRecord, now: number) => ({
  jobId,
  kind: "crawl" as const,
  url,
  status: "completed" as const,
  discovered: 1,
  completed: 1,
  failed: 0,
  cancelled: 0,
  tokensCharged: 1,
  tokensReserved: 0,
  observedAt: now
})
