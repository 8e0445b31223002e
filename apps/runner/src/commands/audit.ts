import { Pipeline } from "@sluice/core"
import type { AuditFinding } from "@sluice/core/sink"
import { Effect, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { exitCodes } from "../CliError.ts"
import { runCliError } from "../cliErrors.ts"
import { openLedger } from "../database.ts"
import { ExitCodeOfCommand } from "../ExitCodeOfCommand.ts"
import { printResult } from "../Output.ts"
import { loadPipelineFile } from "../PipelineFile.ts"
import { scraperLayer } from "../scraperLayer.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice audit`: holds what a run claims against what is there. */
export const audit = Command.make(
  "audit",
  {
    run: Argument.String("RUN").pipe(Argument.withDescription("Id of a run that is over; see sluice runs")),
    file: pipelineArgument,
    json: jsonFlag,
    noApi: Flag.Boolean("no-api").pipe(
      Flag.withDescription("Do not ask the API for the counters of the run's jobs"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ file, json, noApi, run: runId }) {
    const { ledger, machine, pipeline } = yield* loadPipelineFile(file)
    const exit = yield* ExitCodeOfCommand
    const count = { differs: 0, unknown: 0, note: 0 }
    yield* Pipeline.audit(pipeline, {
      runId,
      askApi: !noApi,
      ...(Option.isSome(ledger) ? { ledger: yield* openLedger(ledger.value) } : {})
    }).pipe(
      Stream.mapError(runCliError),
      Stream.runForEach((finding) => {
        count[finding.kind]++
        return printResult(json ? JSON.stringify(finding) : describe(finding))
      }),
      Effect.provide(scraperLayer(machine))
    )
    if (count.differs > 0) exit.code = exitCodes.differs
    if (json) return
    const unknown = count.unknown === 0 ? "" : `; ${count.unknown} could not be told`
    yield* printResult(
      count.differs === 0
        ? `run ${runId}: nothing differs from what it claims${unknown}`
        : `run ${runId}: ${count.differs} ${count.differs === 1 ? "difference" : "differences"}${unknown}`
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Hold what a run claims against its sinks, the ledger, the vault and the API; exit 6 if it differs"
  )
)

const describe = ({ detail, kind, subject, where }: AuditFinding): string =>
  `${kind.padEnd(7)}  ${where}: ${subject}: ${detail}`
