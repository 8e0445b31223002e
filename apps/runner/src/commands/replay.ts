import { Pipeline, type Vault } from "@sluice/core"
import type { Replayed } from "@sluice/core/config"
import { Effect, Option, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { exitCodes, invalid } from "../CliError.ts"
import { runCliError } from "../cliErrors.ts"
import { openLedger } from "../database.ts"
import { describeReceipt } from "../describeReceipt.ts"
import { ExitCodeOfCommand } from "../ExitCodeOfCommand.ts"
import { printResult, tell } from "../Output.ts"
import { loadPipelineFile } from "../PipelineFile.ts"
import { makeProgressLine } from "../ProgressLine.ts"
import { isFullId, oneRun } from "../resolveRun.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice replay`: lands what a vault holds, without a request. */
export const replay = Command.make(
  "replay",
  {
    file: pipelineArgument,
    json: jsonFlag,
    runs: Flag.String("run").pipe(
      Flag.withDescription(
        "A run of the vault, by its ID or the beginning of it, also one that did not end; may be given again. All that ended when absent"
      ),
      Flag.between(0, 1000)
    ),
    from: Flag.String("from").pipe(
      Flag.withDescription("Takes the runs of another pipeline from the vault, and lands them as runs of this one"),
      Flag.optional
    ),
    again: Flag.String("again").pipe(
      Flag.withDescription("A sink whose data is gone: it is given everything again; may be given again"),
      Flag.between(0, 100)
    )
  },
  Effect.fnUntraced(function* ({ again, file: path, from, json, runs }) {
    const { file, ledger, pipeline } = yield* loadPipelineFile(path)
    const { vault } = pipeline
    if (vault === undefined) return yield* invalid(`${file} has no vault: add the one its runs were kept in`)
    const owner = Option.getOrElse(from, () => pipeline.name)
    const named = yield* resolveInVault(vault, owner, runs)
    const unknown = again.find((name) => pipeline.sinks.every((sink) => sink.name !== name))
    if (unknown !== undefined) {
      const known = pipeline.sinks.map(({ name }) => name).join(", ")
      return yield* invalid(`--again ${unknown}: ${file} has no such sink (known: ${known})`)
    }
    const exit = yield* ExitCodeOfCommand
    const line = yield* makeProgressLine({
      waitingFor: `connecting to ${vault.name} and ${pipeline.sinks.map(({ name }) => name).join(", ")}`
    })
    const asked = new Set(named)
    let passed = 0
    yield* Pipeline.replay(pipeline, {
      vault,
      again,
      ...(Option.isSome(ledger) ? { ledger: yield* openLedger(ledger.value) } : {}),
      ...(Option.isSome(from) ? { from: from.value } : {}),
      ...(named.length > 0 ? { runs: named } : {}),
      onProgress: line.show
    }).pipe(
      Stream.mapError(runCliError),
      Stream.runForEach(
        Effect.fnUntraced(function* (replayed) {
          yield* line.clear
          asked.delete(replayed.runId)
          passed++
          yield* printResult(json ? JSON.stringify(toJson(replayed)) : describe(replayed))
          const failure = Option.flatMap(replayed.outcome, ({ failure }) => failure)
          if (replayed.result !== "failed" || Option.isNone(failure)) return
          const refusal = runCliError(failure.value)
          for (const sentence of refusal.sentences) yield* tell(`sluice: ${sentence}`)
          exit.code = refusal.exitCode
        })
      ),
      Effect.ensuring(line.clear)
    )
    if (exit.code !== exitCodes.completed) return
    const [missing] = asked
    if (missing !== undefined) return yield* invalid(`the vault holds no run ${missing} of pipeline "${owner}"`)
    if (passed === 0) return yield* invalid(`the vault holds no run of pipeline "${owner}"`)
  }, Effect.scoped)
).pipe(Command.withDescription("Land what the pipeline's vault holds, without a request and without a token"))

/** The vault's runs of these IDs, or the beginnings of them. */
const resolveInVault = Effect.fnUntraced(function* (vault: Vault, owner: string, written: ReadonlyArray<string>) {
  if (written.every(isFullId)) return written
  const kept = yield* Effect.scoped(
    Effect.flatMap(vault.connect, ({ runs }) => Stream.runCollect(Stream.map(runs(owner), ({ runId }) => runId)))
  ).pipe(Effect.mapError(runCliError))
  return yield* Effect.forEach(written, (one) =>
    isFullId(one)
      ? Effect.succeed(one)
      : oneRun(
          one,
          kept.filter((runId) => runId.startsWith(one.toLowerCase()))
        )
  )
})

const toJson = ({ outcome, result, runId }: Replayed) => ({
  run_id: runId,
  result,
  ...(Option.isSome(outcome) ? { receipt: outcome.value.receipt } : {})
})

const results = {
  loaded: "loaded from the vault",
  failed: "could not be loaded",
  unchanged: "is complete in every sink",
  open: "has not ended: run the pipeline to resume it, or name it with --run to load what the vault holds"
} as const

const describe = ({ outcome, result, runId }: Replayed): string =>
  [`run ${runId} ${results[result]}`, ...(Option.isSome(outcome) ? [describeReceipt(outcome.value.receipt)] : [])].join(
    "\n"
  )
