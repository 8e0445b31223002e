import { Effect } from "effect"
import { CliOutput, Command, Completions } from "effect/cli"
import { exitCodes } from "./CliError.ts"
import { audit } from "./commands/audit.ts"
import { completionOf } from "./commands/completion.ts"
import { dbtSources } from "./commands/dbtSources.ts"
import { ddl } from "./commands/ddl.ts"
import { dlq } from "./commands/dlq.ts"
import { doctor } from "./commands/doctor.ts"
import { exportRows } from "./commands/export.ts"
import { gc } from "./commands/gc.ts"
import { init } from "./commands/init.ts"
import { migrate } from "./commands/migrate.ts"
import { plan } from "./commands/plan.ts"
import { probe } from "./commands/probe.ts"
import { publish } from "./commands/publish.ts"
import { query } from "./commands/query.ts"
import { replay } from "./commands/replay.ts"
import { cancel, resume } from "./commands/resume.ts"
import { run } from "./commands/run.ts"
import { runs } from "./commands/runs.ts"
import { schedule } from "./commands/schedule.ts"
import { schema } from "./commands/schema.ts"
import { show } from "./commands/show.ts"
import { validate } from "./commands/validate.ts"
import { worker } from "./commands/worker.ts"
import { EnvFile, environmentWithFiles } from "./EnvFile.ts"
import { Environment } from "./Environment.ts"
import { ExitCodeOfCommand } from "./ExitCodeOfCommand.ts"

/** The version `sluice --version` prints. */
export const version = "0.1.0"

const commands = [
  init,
  validate,
  schema,
  plan,
  run,
  resume,
  cancel,
  worker,
  schedule,
  runs,
  show,
  publish,
  audit,
  probe,
  query,
  exportRows,
  dlq,
  replay,
  gc,
  ddl,
  migrate,
  doctor,
  dbtSources
] as const

const root = Command.make("sluice").pipe(Command.withDescription("Land web-crawl results in a warehouse, exactly once"))

const completed = root.pipe(Command.withSubcommands(commands), Command.withGlobalFlags([EnvFile]))

/** The command line. */
export const sluice = root.pipe(
  Command.withSubcommands([...commands, completionOf(() => Completions.fromCommand(completed))]),
  Command.provideEffect(Environment, environmentWithFiles),
  Command.withGlobalFlags([EnvFile])
)

/** Help goes to standard output when it was asked for. On bad arguments it stays away: the caller says what is wrong. */
const presenter: CliOutput.Presenter = {
  present: (event) => (event._tag === "InvalidInvocation" ? Effect.void : CliOutput.defaultPresenter.present(event))
}

/** Runs the command line on arguments and answers the exit code; errors are left to the caller. */
export const runCli = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const exit: ExitCodeOfCommand["Service"] = { code: exitCodes.completed }
  yield* Command.runWith(sluice, { version })(args).pipe(
    Effect.provideService(ExitCodeOfCommand, exit),
    Effect.provideService(CliOutput.Presenter, presenter)
  )
  return exit.code
})
