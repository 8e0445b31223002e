import { Clock, Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { invalid } from "../CliError.ts"
import { loadIfFound } from "../database.ts"
import { describeRun } from "../describeRun.ts"
import { runJson } from "../describeRuns.ts"
import { printResult } from "../Output.ts"
import { resolveIn } from "../resolveRun.ts"
import { openReaderOf, readRuns } from "../runsReader.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** What `RUN` may be in place of an ID: the newest run. */
const newest = "last"

/** `sluice show`: one run, with its receipt. */
export const show = Command.make(
  "show",
  {
    run: Argument.String("RUN").pipe(
      Argument.withDescription(`ID of a run, or its beginning, or ${newest} for the newest; see sluice runs`)
    ),
    file: pipelineArgument,
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ file, json, run }) {
    const loaded = yield* loadIfFound(file)
    const ledger = yield* openReaderOf(loaded)
    const filter =
      run !== newest
        ? { runId: yield* resolveIn(ledger, run) }
        : Option.isSome(loaded)
          ? { pipeline: loaded.value.pipeline.name }
          : {}
    const [found] = yield* readRuns(ledger, { ...filter, limit: 1 })
    if (found === undefined) {
      return yield* invalid(
        run === newest ? "there is no run yet: sluice run begins one" : `there is no run ${run}: see sluice runs`
      )
    }
    const now = yield* Clock.currentTimeMillis
    yield* printResult(json ? JSON.stringify(found.run.receipt ?? runJson(found, now)) : describeRun(found))
  }, Effect.scoped)
).pipe(Command.withDescription("Print the receipt of a run, or how far one is that has not ended"))
