import type { Ledger } from "@sluice/core"
import { Postgres, PostgresLedger } from "@sluice/sink-postgres"
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { invalid } from "../CliError.ts"
import { databaseCliError } from "../cliErrors.ts"
import { openDatabase } from "../database.ts"
import { printResult } from "../Output.ts"
import { resolveIn } from "../resolveRun.ts"
import { jsonFlag } from "./run.ts"

const DeadLetterId = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

const fileFlag = Flag.String("file").pipe(
  Flag.withDescription("Pipeline file whose Postgres to ask; sluice.yaml here, else the embedded database"),
  Flag.optional
)
const pipelineFlag = Flag.String("pipeline").pipe(
  Flag.withDescription("Only dead letters of this pipeline"),
  Flag.optional
)
const runFlag = Flag.String("run").pipe(
  Flag.withDescription("Only dead letters of this run, by its ID or the beginning of it"),
  Flag.optional
)

/** The dead letters of the database that a command reads. */
const openDeadLetters = Effect.fnUntraced(function* (file: Option.Option<string>) {
  const { database } = yield* openDatabase(file, { mustExist: true })
  // Tables of an earlier build do not record which dead letters were replayed.
  yield* Postgres.migrate(database).pipe(Effect.mapError(databaseCliError))
  return { deadLetters: Postgres.deadLetters(database), ledger: PostgresLedger.make(database) }
})

/** Dead letters of a run outlive its row in a ledger that was lost: then a whole ID is taken as it is. */
const filterOf = Effect.fnUntraced(function* (
  ledger: Ledger,
  pipeline: Option.Option<string>,
  run: Option.Option<string>
) {
  return {
    ...(Option.isSome(pipeline) ? { pipeline: pipeline.value } : {}),
    ...(Option.isSome(run) ? { runId: yield* resolveIn(ledger, run.value) } : {})
  }
})

const list = Command.make(
  "list",
  {
    file: fileFlag,
    pipeline: pipelineFlag,
    run: runFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("List at most this many dead letters"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
      Flag.withDefault(20)
    ),
    replayed: Flag.Boolean("replayed").pipe(
      Flag.withDescription("Include replayed dead letters"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ file, json, limit, pipeline, replayed, run }) {
    const { deadLetters, ledger } = yield* openDeadLetters(file)
    const listed = yield* deadLetters
      .list({ ...(yield* filterOf(ledger, pipeline, run)), limit, replayed })
      .pipe(Effect.mapError(databaseCliError))
    const lines = listed.map(
      ({ createdAt, detail, id, reason, replayedAt, url }) =>
        `${`${id}`.padStart(6)}  ${createdAt}  ${reason.padEnd(14)} ${url}  ${detail}${replayedAt === null ? "" : `  (replayed ${replayedAt})`}`
    )
    yield* printResult(
      json ? JSON.stringify(listed.map(asRow)) : lines.length === 0 ? "no dead letters" : lines.join("\n")
    )
  }, Effect.scoped)
).pipe(Command.withDescription("List dead letters, newest first, without their content"))

const show = Command.make(
  "show",
  {
    id: Argument.Int("ID").pipe(
      Argument.withDescription("ID of a dead letter; see sluice dlq list"),
      Argument.withSchema(DeadLetterId)
    ),
    file: fileFlag,
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ file, id, json }) {
    const { deadLetters } = yield* openDeadLetters(file)
    const deadLetter = yield* deadLetters.get(id).pipe(Effect.mapError(databaseCliError))
    if (deadLetter === undefined) return yield* invalid(`there is no dead letter ${id}`)
    yield* printResult(json ? JSON.stringify({ ...asRow(deadLetter), raw: deadLetter.raw }) : deadLetter.raw)
  }, Effect.scoped)
).pipe(Command.withDescription("Print the record of a dead letter as JSON, page content included"))

const replay = Command.make(
  "replay",
  {
    ids: Argument.Int("ID").pipe(
      Argument.withDescription("IDs of dead letters; see sluice dlq list"),
      Argument.withSchema(DeadLetterId),
      Argument.variadic()
    ),
    file: fileFlag,
    pipeline: pipelineFlag,
    run: runFlag,
    all: Flag.Boolean("all").pipe(Flag.withDescription("Replay every dead letter"), Flag.withDefault(false)),
    replace: Flag.Boolean("replace").pipe(
      Flag.withDescription("Replace what Postgres cannot store: in texts by U+FFFD, numbers out of range by null"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ all, file, json, ids, pipeline, replace, run }) {
    const isNarrowed = Option.isSome(pipeline) || Option.isSome(run)
    if (!all && !isNarrowed && ids.length === 0)
      return yield* invalid("select dead letters by ID, --pipeline, --run or --all")
    if (all && (isNarrowed || ids.length > 0))
      return yield* invalid("--all cannot be combined with IDs, --pipeline or --run")
    const { deadLetters, ledger } = yield* openDeadLetters(file)
    const filter = yield* filterOf(ledger, pipeline, run)
    for (const id of ids) {
      const found = yield* deadLetters
        .list({ ids: [id], limit: 1, replayed: true })
        .pipe(Effect.mapError(databaseCliError))
      if (found.length === 0) return yield* invalid(`there is no dead letter ${id}`)
    }
    const { loaded, superseded, refused } = yield* deadLetters
      .replay({ ...filter, ...(ids.length === 0 ? {} : { ids }) }, { replace })
      .pipe(Effect.mapError(databaseCliError))
    const stay = [...refused.values()].reduce((sum, count) => sum + count, 0)
    const lines = [
      `${loaded} loaded${superseded === 0 ? "" : `, ${superseded} settled by later deliveries`}, ${stay} refused`,
      ...Array.from(refused, ([why, count]) => `${`${count}`.padStart(6)}  ${why}`)
    ]
    yield* printResult(
      json ? JSON.stringify({ loaded, superseded, refused: Object.fromEntries(refused) }) : lines.join("\n")
    )
  }, Effect.scoped)
).pipe(Command.withDescription("Load dead letters again; each is loaded once, even if this is repeated"))

/** `sluice dlq`: quarantined records. */
export const dlq = Command.make("dlq").pipe(
  Command.withDescription("List, show and replay quarantined records"),
  Command.withSubcommands([list, show, replay])
)

const asRow = (deadLetter: Postgres.DeadLetterSummary) => ({
  id: deadLetter.id,
  run_id: deadLetter.runId,
  pipeline: deadLetter.pipeline,
  sink: deadLetter.sink,
  job_id: deadLetter.jobId,
  url: deadLetter.url,
  reason: deadLetter.reason,
  detail: deadLetter.detail,
  bytes: deadLetter.bytes,
  created_at: deadLetter.createdAt,
  replayed_at: deadLetter.replayedAt
})
