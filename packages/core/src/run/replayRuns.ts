import { Effect, Option, Schema, Stream } from "effect"
import { type Lease, type Ledger, LedgerError } from "../ledger/Ledger.ts"
import type { Receipt } from "../ledger/Receipt.ts"
import type { PipelineDefinition } from "../pipeline/makePipeline.ts"
import { blocksPublish } from "../pipeline/PublishBlocked.ts"
import { SinkError } from "../sink/SinkError.ts"
import type { RunVault, StoredRun, Vault, VaultConnection } from "../vault/Vault.ts"
import { leaseHeldBy, takeOver } from "./acquire/acquireRun.ts"
import { isCarriedOut } from "./acquire/chooseRun.ts"
import { type ConnectedSinks, connectSinks } from "./acquire/connectSinks.ts"
import { makeLease } from "./acquire/LeaseHolder.ts"
import { openSessions } from "./acquire/openSessions.ts"
import { replayedId } from "./acquire/replayedId.ts"
import { executeRun } from "./executeRun.ts"
import type { Outcome } from "./finish/runStatus.ts"
import { skipIfPublished } from "./finish/skipIfPublished.ts"
import { type RunOptions, runDefaults } from "./RunOptions.ts"
import { BudgetTracker } from "./submit/BudgetTracker.ts"

/** What is replayed, and how. */
export interface ReplayOptions extends Pick<RunOptions, "ledger" | "lease" | "writeRetries" | "drain" | "onProgress"> {
  readonly vault: Vault
  /** Whose runs they are; the pipeline's own when absent. Another's land as runs of this pipeline, with ids of their own. */
  readonly from?: string
  /** The runs; all that ended when absent. One that is named is replayed as far as it went. */
  readonly runs?: ReadonlyArray<string>
  /** Names of sinks whose data is gone although the ledger lists it as committed: they get everything again. */
  readonly again?: ReadonlyArray<string>
}

/**
 * A replay could not begin or continue: a store or the ledger failed. A run that could not be loaded is no such error but a
 * {@link Replayed} whose `result` is `failed`.
 *
 * @example
 * ```ts
 * import { Crawl, Pipeline } from "@sluice/core"
 * import { Directory } from "@sluice/sink-s3"
 * import { Console, Stream } from "effect"
 *
 * const vault = Directory.vault({ path: "vault" })
 * const pipeline = Pipeline.make({
 *   name: "docs",
 *   source: Crawl.make({ url: "https://example.com/" }),
 *   sinks: [Directory.sink({ path: "lake" })],
 *   vault
 * })
 * const replay = Pipeline.replay(pipeline, { vault }).pipe(
 *   Stream.catchTag("ReplayFailed", ({ message }) => Stream.fromEffectDrain(Console.error(message))),
 *   Stream.runForEach(({ result, runId }) => Console.log(runId, result))
 * )
 * ```
 */
export class ReplayFailed extends Schema.TaggedError<ReplayFailed>()("ReplayFailed", {
  reason: Schema.Union([SinkError, LedgerError])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** What became of a run of the vault. */
export interface Replayed {
  /** As the vault has it. */
  readonly runId: string
  /** `unchanged` where no sink lacked anything, `open` where the run has not ended and was not named. */
  readonly result: "loaded" | "failed" | "unchanged" | "open"
  /** Where something was landed. */
  readonly outcome: Option.Option<Outcome>
}

/**
 * Lands what a vault holds in the sinks of a pipeline, run by run, oldest first, without a request and without a token. A sink is
 * given the segments it lacks; ids, receipts and submissions are restored in the ledger where it has lost them. Ends after the
 * first run that could not be loaded.
 */
export const replay = (pipeline: PipelineDefinition, options: ReplayOptions): Stream.Stream<Replayed, ReplayFailed> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const connected = yield* connectSinks(pipeline, options.ledger)
      const vault = yield* options.vault.connect
      const lease = yield* makeLease(options.lease ?? runDefaults.lease)
      const replaying = { pipeline, options, connected, vault, lease }
      return vault.runs(options.from ?? pipeline.name).pipe(
        Stream.filter(({ runId }) => options.runs?.includes(runId) ?? true),
        Stream.mapEffect((kept) => replayRun(replaying, kept)),
        Stream.takeUntil(({ result }) => result === "failed")
      )
    })
  ).pipe(Stream.mapError((reason) => new ReplayFailed({ reason })))

interface Replaying {
  readonly pipeline: PipelineDefinition
  readonly options: ReplayOptions
  readonly connected: ConnectedSinks
  readonly vault: VaultConnection
  readonly lease: Lease
}

const replayRun = Effect.fnUntraced(function* (
  { connected, lease, options, pipeline, vault }: Replaying,
  kept: StoredRun
): Effect.fn.Return<Replayed, SinkError | LedgerError> {
  const { ledger } = connected
  const held = yield* vault.open(kept)
  const because = (result: Replayed["result"]) => ({ runId: kept.runId, result, outcome: Option.none() })
  // Of one that failed before anything was read there is nothing to land.
  if (held.segments.length === 0) return because(kept.end === undefined ? "open" : "unchanged")
  if (held.end === undefined && options.runs === undefined) return because("open")

  const isOwn = kept.pipeline === pipeline.name
  const runId = isOwn ? kept.runId : replayedId(kept.runId, pipeline.name)
  const open = yield* ledger.open({ runId })
  if (open !== undefined && (yield* isCarriedOut(open))) return yield* leaseHeldBy(open)
  const [newest] = yield* ledger.runs({ pipeline: pipeline.name, limit: 1 })
  const isOutdated = newest !== undefined && newest.startedAt > kept.startedAt
  const eligible = connected.connections.filter(({ connection }) => !isOutdated || connection.showsLatest !== true)
  const lacking = yield* Effect.filter(eligible, ({ name }) =>
    options.again?.includes(name) === true ? Effect.succeed(true) : lacks(ledger, runId, name, held)
  )
  if (eligible.length === 0 || (lacking.length === 0 && open === undefined)) return because("unchanged")
  // A replay may have died before it could publish in a sink that had taken everything: the next one does.
  const connections =
    open === undefined
      ? lacking
      : eligible.map((each) =>
          lacking.includes(each) ? each : { ...each, connection: skipIfPublished(each.name, each.connection) }
        )

  const own = isOwn ? { epoch: kept.epoch } : { replayedFrom: kept.runId }
  const submissions = isOwn ? (kept.end?.submissions ?? []) : []
  const intent = {
    runId,
    pipeline: pipeline.name,
    configHash: pipeline.hash,
    startedAt: kept.startedAt,
    submissions,
    ...own
  }
  const run =
    open === undefined
      ? yield* ledger.restore(intent, lease, options.again ?? [])
      : yield* takeOver(ledger, open, lease)
  const context = yield* openSessions({ connections, ledger }, { isNew: false, lease, run, vault: readOnly(held) })
  const outcome = yield* executeRun(
    pipeline,
    context,
    { ...runDefaults, ...options },
    {
      records: Stream.empty,
      hasSubmitted: () => true,
      unreconciled: [],
      budgetTracker: new BudgetTracker({ clamp: true, spent: () => 0 }),
      ...(isOwn && kept.end !== undefined ? { receipt: asItWas(kept.end.receipt) } : {})
    }
  )
  const hasLanded = Option.isNone(outcome.failure) || blocksPublish(outcome.failure.value)
  return { runId: kept.runId, result: hasLanded ? "loaded" : "failed", outcome: Option.some(outcome) }
})

/** Whether a sink has not taken every segment that is kept. */
const lacks = (ledger: Ledger, runId: string, sink: string, { segments }: RunVault) =>
  Effect.map(
    Stream.runFold(
      ledger.committed(runId, sink),
      () => new Set(segments.map(({ seq }) => seq)),
      (lacking, { seq }) => {
        lacking.delete(seq)
        return lacking
      }
    ),
    (lacking) => lacking.size > 0
  )

/** What is kept stays as it is, whatever is made of it. */
const readOnly = ({ end, keep, keepEnd, read, segments }: RunVault): RunVault & Pick<Vault, "maxBytes"> => ({
  end: end ?? { status: "incomplete", reason: "the vault does not hold the end of this run" },
  keep,
  keepEnd,
  read,
  segments,
  maxBytes: Number.POSITIVE_INFINITY
})

/** The receipt a run had, with what its sinks hold now. */
const asItWas =
  (before: Receipt) =>
  (now: Receipt): Receipt => {
    if (now.status !== before.status) return now
    const sinks = new Map([...before.sinks, ...now.sinks].map((sink) => [sink.name, sink]))
    return { ...before, config_hash: now.config_hash, sinks: [...sinks.values()] }
  }
