import { Pipeline } from "@sluice/core"
import { accountBounds } from "@sluice/core/config"
import type { AuditFinding } from "@sluice/core/sink"
import { Effect, Option, Schema, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { accountJson, describeAccount } from "../accountReport.ts"
import { exitCodes, invalid } from "../CliError.ts"
import { ledgerCliError, runCliError, scraperCliError } from "../cliErrors.ts"
import { openLedger, openRunsOf } from "../database.ts"
import { ExitCodeOfCommand } from "../ExitCodeOfCommand.ts"
import { printResult } from "../Output.ts"
import { loadPipelineFile } from "../PipelineFile.ts"
import { resolveRun } from "../resolveRun.ts"
import { scraperLayer } from "../scraperLayer.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice audit`: holds what a run claims against what is there. */
export const audit = Command.make(
  "audit",
  {
    run: Argument.String("RUN").pipe(
      Argument.withDescription("ID of an ended run, or its beginning; see sluice runs. Omit it with --account"),
      Argument.optional
    ),
    file: pipelineArgument,
    json: jsonFlag,
    noApi: Flag.Boolean("no-api").pipe(
      Flag.withDescription("Do not ask the API for the counters of the run's jobs"),
      Flag.withDefault(false)
    ),
    account: Flag.Boolean("account").pipe(
      Flag.withDescription("Hold what the API has charged, day by day, against all runs of the ledger"),
      Flag.withDefault(false)
    ),
    days: Flag.Int("days").pipe(
      Flag.withDescription("With --account: days of UTC up to today"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: accountBounds.days }))),
      Flag.withDefault(30)
    )
  },
  Effect.fnUntraced(function* ({ account, days, file, json, noApi, run }) {
    if (account) {
      // The only argument it takes is where the other audit has the run.
      if (Option.isSome(file))
        return yield* invalid("--account audits all runs of a ledger: name no run beside the pipeline file")
      if (noApi)
        return yield* invalid("--account and --no-api exclude each other: the API alone knows what it has charged")
      return yield* auditAccount(run, { days, json })
    }
    if (Option.isNone(run))
      return yield* invalid("name the run to audit (see sluice runs), or audit the bill with --account")
    const loaded = yield* loadPipelineFile(file)
    const { ledger, machine, pipeline } = loaded
    const runId = yield* resolveRun(loaded, run.value)
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
    "Hold what a run claims against its sinks, the ledger, the vault and the API, or the API's bill against all runs; exit 6 if it differs"
  )
)

/** `sluice audit --account`: what the API has charged, compared with the ledger. */
const auditAccount = Effect.fnUntraced(function* (
  file: Option.Option<string>,
  { days, json }: { readonly days: number; readonly json: boolean }
) {
  const loaded = yield* loadPipelineFile(file)
  const exit = yield* ExitCodeOfCommand
  const ledger = yield* openRunsOf(Option.some(loaded))
  const found = yield* Pipeline.auditAccount({ ledger, days }).pipe(
    Effect.catchTags({
      LedgerError: (error) => Effect.fail(ledgerCliError(error)),
      ScraperError: (error) => Effect.fail(scraperCliError(error))
    }),
    Effect.provide(scraperLayer(loaded.machine))
  )
  const differences = found.findings.filter(({ kind }) => kind === "differs").length
  if (differences > 0) exit.code = exitCodes.differs
  if (json) return yield* printResult(JSON.stringify(accountJson(found)))
  const isTold = found.days.length > 0
  if (isTold) yield* printResult(describeAccount(found))
  for (const finding of found.findings) yield* printResult(describe(finding))
  if (!isTold) return yield* printResult("account: what was charged could not be told")
  yield* printResult(
    differences === 0
      ? `account: no charge in ${days} days that runs do not explain`
      : `account: ${differences} ${differences === 1 ? "difference" : "differences"}; charges of others who use this key, or whose runs are in another ledger, are among them`
  )
})

const describe = ({ detail, kind, subject, where }: AuditFinding): string =>
  `${kind.padEnd(7)}  ${where}: ${subject}: ${detail}`
