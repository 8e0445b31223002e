import { type Outcome, Pipeline, type Receipt, type RunOptions } from "@sluice/core"
import { readerDefaults } from "@sluice/core/config"
import { unpublishedKept } from "@sluice/core/sink"
import { Clock, Console, Duration, Effect, Fiber, type FileSystem, Option, type Path, type Scope } from "effect"
import { type CliError, exitCodes } from "./CliError.ts"
import { runCliError } from "./cliErrors.ts"
import { openLedger } from "./database.ts"
import { deliverNotices } from "./deliverNotices.ts"
import { describeReceipt } from "./describeReceipt.ts"
import { profileSettings } from "./loadProfile.ts"
import type { Machine } from "./Machine.ts"
import { marksOf } from "./marksOf.ts"
import { noticesOf } from "./noticesOf.ts"
import { printResult, tell } from "./Output.ts"
import { isStandardName, type PipelineFile } from "./PipelineFile.ts"
import { makeProgressLine } from "./ProgressLine.ts"
import { boundsOfRun } from "./ProgressPace.ts"
import { scraperLayer } from "./scraperLayer.ts"
import { writeHealth, writeMetrics } from "./statusFiles.ts"
import { millisOf } from "./TimeSpan.ts"
import { spoolOf } from "./vaults.ts"

/** Runs a pipeline with progress on standard error. Fails only if it could not begin. */
export const runWithProgress = Effect.fnUntraced(function* (
  pipeline: Pipeline,
  machine: Machine,
  options: RunOptions = {}
): Effect.fn.Return<Outcome, CliError, FileSystem.FileSystem | Path.Path | Scope.Scope> {
  const names = pipeline.sinks.map(({ name }) => name).join(", ")
  const line = yield* makeProgressLine({
    waitingFor: `connecting to the API and ${names}`,
    bounds: boundsOfRun(pipeline)
  })
  const ofMachine = yield* runOptionsOf(machine)
  return yield* Pipeline.execute(pipeline, {
    ...ofMachine,
    ...options,
    reader: { ...ofMachine.reader, ...options.reader },
    onProgress: line.show
  }).pipe(
    Effect.mapError(runCliError),
    Effect.provide(scraperLayer(machine)),
    Effect.provideService(Console.Console, line.console),
    Effect.ensuring(line.clear)
  )
}, Effect.scoped)

/** What a pipeline file says of the machine, as options of a run. */
export const runOptionsOf = Effect.fnUntraced(function* (machine: Machine) {
  const adoption = (yield* profileSettings(machine))?.adoption
  const { notify = [] } = machine
  const options: RunOptions = {
    spool: spoolOf(machine),
    reader: readerOf(machine) ?? {},
    ...(notify.length === 0 ? {} : { notices: (receipt, ledger) => noticesOf(notify, receipt, ledger) }),
    ...(adoption === undefined ? {} : { adoption })
  }
  return options
})

/** How long a job may be unknown, or its pages lag: no longer than an outage may last, unless it is said. */
const readerOf = ({ api }: Machine): RunOptions["reader"] => {
  if (api?.settle_time !== undefined) return { settleTime: millisOf(api.settle_time) }
  if (api?.give_up_after === undefined) return {}
  return { settleTime: Math.min(millisOf(api.give_up_after), Duration.toMillis(readerDefaults.settleTime)) }
}

/** The exit code of a run that began. */
export const exitCodeOf = (outcome: Outcome): number => {
  const { status } = outcome.receipt
  if (status !== "failed" || Option.isNone(outcome.failure)) return exitCodes[status]
  const { exitCode } = runCliError(outcome.failure.value)
  // "Invalid" says that nothing was paid for: what turns up in the middle of a paid run is a failure of the world outside.
  return exitCode === exitCodes.invalid && outcome.mayHavePaid ? exitCodes.failed : exitCode
}

/** Files that tell an operator how a scheduled run is. */
export interface RunFiles {
  readonly healthFile?: string
  readonly metricsFile?: string
}

/** Runs the pipeline of a file, prints its receipt (as JSON or for people) and answers the exit code. */
export const runAndReport = Effect.fnUntraced(function* (
  loaded: PipelineFile,
  { healthFile, metricsFile, ...options }: RunOptions & RunFiles & { readonly json: boolean }
) {
  const { file, ledger: settings, machine, pipeline } = loaded
  const { json } = options
  const ledger = Option.isNone(settings) ? {} : { ledger: yield* openLedger(settings.value) }
  const startedAt = yield* Clock.currentTimeMillis
  if (healthFile !== undefined) yield* writeHealth(healthFile, { pipeline: pipeline.name, startedAt })
  // What a process before has left is delivered beside the run, and does not keep it waiting.
  const earlier = yield* Effect.forkScoped(deliverNotices(loaded))
  let last: Receipt | undefined
  const onReceipt = (receipt: Receipt) =>
    Effect.gen(function* () {
      last = receipt
      if (healthFile !== undefined) yield* writeHealth(healthFile, receipt)
      if (metricsFile !== undefined) yield* writeMetrics(metricsFile, receipt)
    })
  const outcome = yield* runWithProgress(pipeline, machine, {
    marks: marksOf(loaded),
    ...options,
    ...ledger,
    onReceipt
  }).pipe(
    Effect.tapError(({ message: failure }) =>
      healthFile === undefined ? Effect.void : writeHealth(healthFile, { pipeline: pipeline.name, startedAt, failure })
    ),
    Effect.onInterrupt(() =>
      Effect.gen(function* () {
        yield* tell(
          last === undefined || (last.requests.submitted === 0 && last.jobs.length === 0)
            ? "sluice: interrupted before anything was submitted; nothing was paid for"
            : "sluice: interrupted; what has landed stays, and the next run resumes this one"
        )
        if (json && last !== undefined) yield* printResult(JSON.stringify(last))
      })
    )
  )
  yield* Fiber.await(earlier)
  yield* deliverNotices(loaded)
  const { receipt } = outcome
  if (receipt.reason !== undefined) {
    yield* tell(`sluice: ${receipt.status}: ${receipt.reason}${unpublishedNote(receipt, file)}`)
  }
  if (isUndecided(outcome)) {
    yield* tell(
      `sluice: decide with: sluice resume ${receipt.run_id}${isStandardName(file) ? "" : ` ${file}`} --adopt JOB_ID, or --resubmit, which may pay a second time`
    )
  }
  yield* printResult(json ? JSON.stringify(receipt) : describeReceipt(receipt))
  return exitCodeOf(outcome)
}, Effect.scoped)

/** Whether somebody has to say what a submission became whose answer was lost, or whose jobs are that no run explains. */
const isUndecided = ({ failure }: Outcome): boolean =>
  Option.isSome(failure) &&
  failure.value._tag === "SourceError" &&
  (failure.value.reason._tag === "Ambiguous" || failure.value.reason._tag === "OrphanedJobs")

/** What became of a run that was loaded whole and not published, and what can be done about it. */
const unpublishedNote = ({ run_id: runId, unpublished }: Receipt, file: string): string => {
  if (unpublished === undefined) return ""
  const sinks = unpublished.sinks.map(({ name, readers }) => `sink "${name}": ${readers}`).join("; ")
  const command = `sluice publish ${runId}${isStandardName(file) ? "" : ` ${file}`}`
  return `; loaded, but not published (${sinks}); to publish it all the same, within ${unpublishedKept.days} days and before a later run is published, run: ${command}`
}
