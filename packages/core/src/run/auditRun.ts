import { JobId } from "@sluice/contract"
import { Effect, Option, Schema, Stream } from "effect"
import { Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { type Ledger, LedgerError, NotEnded, UnknownRun } from "../ledger/Ledger.ts"
import type { Receipt } from "../ledger/Receipt.ts"
import type { PipelineDefinition } from "../pipeline/makePipeline.ts"
import { canonicalHash, canonicalJson } from "../record/canonicalJson.ts"
import type { JobKind, JobSnapshot } from "../record/JobSnapshot.ts"
import type { PageRecord } from "../record/PageRecord.ts"
import { type AuditClaim, type AuditFinding, findingsOf } from "../sink/Audit.ts"
import { SinkError } from "../sink/SinkError.ts"
import { isOwnId } from "../source/ownJobId.ts"
import type { JobTotals } from "../source/SourceKind.ts"
import { sourceKinds } from "../source/sourceKinds.ts"
import type { RunVault } from "../vault/Vault.ts"
import { connectSinks } from "./acquire/connectSinks.ts"
import { transformer } from "./deliver/SegmentWriter.ts"

/**
 * The audit could not be made: a store or the ledger failed, the run is unknown (`UnknownRun`) or has not ended (`NotEnded`). Differences are findings, not
 * failures.
 *
 * @example
 * ```ts
 * import { Crawl, Pipeline } from "@sluice/core"
 * import { Postgres } from "@sluice/sink-postgres"
 * import { Console, Stream } from "effect"
 *
 * const pipeline = Pipeline.make({
 *   name: "docs",
 *   source: Crawl.make({ url: "https://example.com/", limit: 100 }),
 *   sinks: [Postgres.sink({ url: "postgres://localhost/lake" })]
 * })
 * const audit = Pipeline.audit(pipeline, { runId: "0197...", askApi: false }).pipe(
 *   Stream.catchTag("AuditFailed", ({ message }) => Stream.fromEffectDrain(Console.error(message))),
 *   Stream.runForEach(({ detail, kind, subject, where }) => Console.log(where, kind, subject, detail))
 * )
 * ```
 */
export class AuditFailed extends Schema.TaggedError<AuditFailed>()("AuditFailed", {
  reason: Schema.Union([SinkError, LedgerError])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** What is audited. */
export interface AuditOptions {
  readonly runId: string
  readonly ledger?: Ledger
  /** Whether the API is asked for the counters of the run's jobs: a read each, which costs no token. */
  readonly askApi: boolean
}

/** So many of a pipeline's newest runs are looked through for the one that is audited. */
const mostRuns = 10_000
/** Jobs the API is asked for at once. */
const jobsAtOnce = 4

/**
 * Holds what a run's receipt claims against what its sinks, the ledger, the vault and the API hold now, and names each
 * difference. Reads alone. Where the pipeline has a vault that keeps the run, every row is compared with what was delivered;
 * without, with its own fingerprint.
 */
export const audit = (
  pipeline: PipelineDefinition,
  options: AuditOptions
): Stream.Stream<AuditFinding, AuditFailed, Scraper> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { runId } = options
      const { connections, ledger } = yield* connectSinks(pipeline, options.ledger)
      const runs = yield* ledger.runs({ pipeline: pipeline.name, limit: mostRuns })
      const run = runs.find((run) => run.runId === runId)
      if (run === undefined) {
        return yield* new LedgerError({ operation: "audit", reason: new UnknownRun({ runId }) })
      }
      const { receipt } = run
      if (receipt === null) {
        return yield* new LedgerError({ operation: "audit", reason: new NotEnded({ runId }) })
      }
      const kept = yield* keptOf(pipeline, runId)
      const state = yield* ledger.state(runId)
      const sinks = connections.flatMap(({ connection, name }) => {
        const claimed = receipt.sinks.find((sink) => sink.name === name)
        if (claimed === undefined) return []
        if (connection.audit === undefined) {
          return [Stream.make(findingsOf(name).unknown("sink", "a sink of this kind cannot be read back"))]
        }
        const records = kept === undefined ? undefined : recordsIn(pipeline, kept.vault)
        const claim: AuditClaim = {
          runId,
          pipeline: pipeline.name,
          receipt,
          claimed,
          isPublished: receipt.status === "completed" || run.publishedAt !== null,
          isLatest: runs[0]?.runId === runId,
          records
        }
        return [connection.audit(claim)]
      })
      const gone = receipt.sinks
        .filter(({ name }) => connections.every((sink) => sink.name !== name))
        .map(({ name }) => findingsOf(name).unknown("sink", "the pipeline has no such sink any more"))
      const found = [
        ...gone,
        ...supersededBy(receipt, run.superseded),
        ...tokensOf(receipt, state.jobs),
        ...(kept?.receipt === undefined || sameReceipt(kept.receipt, receipt)
          ? []
          : [ofLedger.differs("receipt", "it is not the receipt the vault keeps of this run")])
      ]
      return Stream.concat(
        Stream.fromIterable(found),
        Stream.concat(
          Stream.flatten(Stream.fromIterable(sinks)),
          options.askApi ? askApi(receipt, state.jobs) : Stream.empty
        )
      )
    })
  ).pipe(Stream.mapError((reason) => new AuditFailed({ reason })))

const ofApi = findingsOf("api")
const ofLedger = findingsOf("ledger")

/** What the vault of a pipeline keeps of a run that is over. */
const keptOf = Effect.fnUntraced(function* ({ name, vault }: PipelineDefinition, runId: string) {
  if (vault === undefined) return undefined
  const connection = yield* vault.connect
  const found = yield* Stream.runHead(Stream.filter(connection.runs(name), (kept) => kept.runId === runId))
  if (Option.isNone(found)) return undefined
  return { vault: yield* connection.open(found.value), receipt: found.value.end?.receipt }
})

/** What every sink of the pipeline was given. */
const recordsIn = (
  pipeline: PipelineDefinition,
  vault: RunVault
): Stream.Stream<ReadonlyArray<PageRecord>, SinkError> => {
  const transform = transformer(pipeline)
  return Stream.fromIterable(vault.segments).pipe(Stream.mapEffect((kept) => Effect.map(vault.read(kept), transform)))
}

/** Everything but when it ended and what it asked: a run that was cut off as it ended does so twice. */
const sameReceipt = (one: Receipt, other: Receipt): boolean =>
  canonicalJson({ ...one, finished_at: "", requests: null }) ===
  canonicalJson({ ...other, finished_at: "", requests: null })

/** The receipts before this one, of which each names the one before by its hash. */
const supersededBy = (receipt: Receipt, superseded: ReadonlyArray<Receipt>): ReadonlyArray<AuditFinding> =>
  [...superseded, receipt].flatMap((later, at) => {
    const before = superseded[at - 1]
    const { supersedes } = later
    if (before === undefined) {
      return supersedes === undefined
        ? []
        : [
            ofLedger.unknown(
              "receipt",
              `the receipt of ${supersedes.finished_at} that it supersedes is not in this ledger`
            )
          ]
    }
    if (supersedes === undefined) {
      return [ofLedger.differs("receipt", `it does not name the receipt of ${before.finished_at} that it supersedes`)]
    }
    return supersedes.sha256 === canonicalHash(before)
      ? [ofLedger.note("receipt", `it supersedes the receipt of ${before.finished_at} (${before.status})`)]
      : [
          ofLedger.differs(
            "receipt",
            `the receipt of ${before.finished_at}, which a later one supersedes, has been rewritten`
          )
        ]
  })

/** The counters of all jobs add up to what the receipt says. */
const tokensOf = (receipt: Receipt, jobs: ReadonlyArray<JobSnapshot>): ReadonlyArray<AuditFinding> => {
  const sum = (pick: (job: JobSnapshot) => number) => jobs.reduce((total, job) => total + pick(job), 0)
  const counts = [
    ["tokens charged", receipt.tokens.charged, sum((job) => job.tokensCharged)],
    ["tokens reserved", receipt.tokens.reserved, sum((job) => job.tokensReserved)],
    ["pages completed", receipt.pages.completed, sum((job) => job.completed)],
    ["pages failed", receipt.pages.failed, sum((job) => job.failed)],
    ["pages cancelled", receipt.pages.cancelled, sum((job) => job.cancelled)]
  ] as const
  return counts.flatMap(([what, claimed, found]) =>
    claimed === found
      ? []
      : [ofLedger.differs(what, `the receipt says ${claimed}, the counters of the run's jobs come to ${found}`)]
  )
}

/** The API's own counters of each job of the run, that has any. */
const askApi = (receipt: Receipt, known: ReadonlyArray<JobSnapshot>): Stream.Stream<AuditFinding, never, Scraper> => {
  const snapshots = new Map(known.map((job) => [job.jobId, job]))
  return Stream.fromIterable(receipt.jobs).pipe(
    Stream.filter(({ job_id: jobId }) => !isOwnId(jobId)),
    Stream.mapEffect(
      ({ job_id: jobId, kind }) =>
        Effect.match(totalsOf(JobId.make(jobId), kind), {
          onSuccess: (counters) => (counters === undefined ? [] : compareJob(jobId, counters, snapshots.get(jobId))),
          onFailure: (error) => [
            ofApi.unknown(
              `job ${jobId}`,
              error.reason._tag === "NotFound" ? "the API does not know this job any more" : error.message
            )
          ]
        }),
      { concurrency: jobsAtOnce }
    ),
    Stream.flattenIterable
  )
}

/** A job's totals as the API has them; undefined where it keeps no job of this kind. */
const totalsOf = (jobId: JobId, kind: JobKind): Effect.Effect<JobTotals | undefined, ScraperError, Scraper> =>
  Effect.flatMap(
    Scraper,
    (scraper): Effect.Effect<JobTotals | undefined, ScraperError> =>
      sourceKinds[kind].totals?.(scraper, jobId) ?? Effect.succeed(undefined)
  )

const compared = {
  status: "status",
  tokensCharged: "tokens charged",
  completed: "pages completed",
  failed: "pages failed",
  cancelled: "pages cancelled"
} as const

const compareJob = (jobId: string, api: JobTotals, known: JobTotals | undefined): ReadonlyArray<AuditFinding> => {
  const subject = `job ${jobId}`
  if (known === undefined) return [ofLedger.differs(subject, "the receipt names it, the ledger has no counters of it")]
  return (Object.keys(compared) as Array<keyof typeof compared>).flatMap((name) =>
    api[name] === known[name]
      ? []
      : [ofApi.differs(subject, `the API says ${api[name]} ${compared[name]}, the ledger ${known[name]}`)]
  )
}
