import { Effect, Option, Path } from "effect"
import { Command, Flag } from "effect/cli"
import { apiAccess } from "../apiAccess.ts"
import { exitCodes } from "../CliError.ts"
import { checkApi } from "../doctor/checkApi.ts"
import { checkChromium, checkDisk, checkNode } from "../doctor/checkMachine.ts"
import { checkStores } from "../doctor/checkStores.ts"
import type { HealthCheck } from "../doctor/HealthCheck.ts"
import { ExitCodeOfCommand } from "../ExitCodeOfCommand.ts"
import { homeOf, stateDirectory } from "../home.ts"
import { printResult } from "../Output.ts"
import { findPipelineFile, loadPipelineFile, type PipelineFile } from "../PipelineFile.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice doctor`: whether what a run needs is there. */
export const doctor = Command.make(
  "doctor",
  {
    file: pipelineArgument,
    json: jsonFlag,
    writeProbe: Flag.Boolean("write-probe").pipe(
      Flag.withDescription("Write to the destinations as a trial: objects that are deleted again, temporary tables"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ file, json, writeProbe }) {
    const found = yield* findPipelineFile(file)
    const loaded = Option.isNone(found) ? undefined : yield* loadPipelineFile(found)
    const path = yield* Path.Path
    const state = loaded?.machine.stateDirectory ?? path.join(yield* homeOf(undefined), stateDirectory)
    const checks: ReadonlyArray<HealthCheck> = [
      checkNode(),
      yield* checkDisk(state),
      yield* checkChromium({ isNeeded: loaded !== undefined && (yield* rendersHere(loaded)) }),
      ...(yield* checkApi(loaded?.machine ?? {})),
      ...(loaded === undefined ? [] : yield* checkStores(loaded, { writes: writeProbe }))
    ]
    const isWell = checks.every(({ status }) => status !== "failed")
    const exit = yield* ExitCodeOfCommand
    exit.code = isWell ? exitCodes.completed : exitCodes.failed
    yield* printResult(
      json
        ? JSON.stringify({ ok: isWell, ...(loaded === undefined ? {} : { file: loaded.file }), checks })
        : checks.map(describe).join("\n")
    )
  })
).pipe(
  Command.withDescription("Check what a run needs: key, clock, destinations, disk, Node, Chromium; exit 1 if one fails")
)

const describe = ({ detail, name, status }: HealthCheck): string => `${status.padEnd(7)}  ${name}: ${detail}`

/** Whether pages are rendered by the embedded scraper. */
const rendersHere = ({ machine, pipeline }: PipelineFile) =>
  Effect.map(
    apiAccess(machine.api),
    (access) => access === undefined && JSON.stringify(pipeline.source).includes('"render_js":true')
  )
