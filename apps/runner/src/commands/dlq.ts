import { Postgres } from "@sluice/sink-postgres"
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { openDatabase } from "../database.ts"
import { printResult } from "../Output.ts"
import { invalid } from "../Refusal.ts"
import { databaseRefusal } from "../refusals.ts"
import { jsonFlag } from "./run.ts"

const LetterNo = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

const fileFlag = Flag.String("file").pipe(
  Flag.withDescription("Pipeline file whose Postgres to ask; sluice.yaml here, else the embedded database"),
  Flag.optional
)
const pipelineFlag = Flag.String("pipeline").pipe(
  Flag.withDescription("Only letters of the pipeline of this name"),
  Flag.optional
)
const runFlag = Flag.String("run").pipe(Flag.withDescription("Only letters of this run"), Flag.optional)

/** The dead letters of the database a command is about. */
const openLetters = Effect.fnUntraced(function* (file: Option.Option<string>) {
  const { database } = yield* openDatabase(file, { mustExist: true })
  // Tables of an earlier build do not know yet which letters have been replayed.
  yield* Postgres.migrate(database).pipe(Effect.mapError(databaseRefusal))
  return Postgres.deadLetters(database)
})

const filterOf = (pipeline: Option.Option<string>, run: Option.Option<string>) => ({
  ...(Option.isSome(pipeline) ? { pipeline: pipeline.value } : {}),
  ...(Option.isSome(run) ? { runId: run.value } : {})
})

const list = Command.make(
  "list",
  {
    file: fileFlag,
    pipeline: pipelineFlag,
    run: runFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("Most letters to list"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
      Flag.withDefault(20)
    ),
    replayed: Flag.Boolean("replayed").pipe(
      Flag.withDescription("List those that have been loaded again as well"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ file, json, limit, pipeline, replayed, run }) {
    const letters = yield* openLetters(file)
    const listed = yield* letters
      .list({ ...filterOf(pipeline, run), limit, replayed })
      .pipe(Effect.mapError(databaseRefusal))
    const lines = listed.map(
      ({ createdAt, detail, letterNo, reason, replayedAt, url }) =>
        `${`${letterNo}`.padStart(6)}  ${createdAt}  ${reason.padEnd(14)} ${url}  ${detail}${replayedAt === null ? "" : `  (replayed ${replayedAt})`}`
    )
    yield* printResult(
      json ? JSON.stringify(listed.map(asRow)) : lines.length === 0 ? "no dead letters" : lines.join("\n")
    )
  }, Effect.scoped)
).pipe(Command.withDescription("List records that were set aside, newest first, without their content"))

const show = Command.make(
  "show",
  {
    letter: Argument.Int("LETTER").pipe(
      Argument.withDescription("Number of a letter; see sluice dlq list"),
      Argument.withSchema(LetterNo)
    ),
    file: fileFlag,
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ file, json, letter: letterNo }) {
    const letters = yield* openLetters(file)
    const letter = yield* letters.get(letterNo).pipe(Effect.mapError(databaseRefusal))
    if (letter === undefined) return yield* invalid(`there is no letter ${letterNo}`)
    yield* printResult(json ? JSON.stringify({ ...asRow(letter), raw: letter.raw }) : letter.raw)
  }, Effect.scoped)
).pipe(Command.withDescription("Print the record of a letter as JSON, page content included"))

const replay = Command.make(
  "replay",
  {
    letters: Argument.Int("LETTER").pipe(
      Argument.withDescription("Numbers of letters; see sluice dlq list"),
      Argument.withSchema(LetterNo),
      Argument.variadic()
    ),
    file: fileFlag,
    pipeline: pipelineFlag,
    run: runFlag,
    all: Flag.Boolean("all").pipe(Flag.withDescription("Replay every letter"), Flag.withDefault(false)),
    replace: Flag.Boolean("replace").pipe(
      Flag.withDescription("Replace what Postgres cannot store: in texts by U+FFFD, numbers out of range by null"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  Effect.fnUntraced(function* ({ all, file, json, letters: numbers, pipeline, replace, run }) {
    const filter = filterOf(pipeline, run)
    const isNarrowed = Object.keys(filter).length > 0
    if (!all && !isNarrowed && numbers.length === 0)
      return yield* invalid("say which letters: by their numbers, --pipeline, --run or --all")
    if (all && (isNarrowed || numbers.length > 0)) return yield* invalid("--all goes with no other choice of letters")
    const letters = yield* openLetters(file)
    for (const letterNo of numbers) {
      const found = yield* letters
        .list({ letters: [letterNo], limit: 1, replayed: true })
        .pipe(Effect.mapError(databaseRefusal))
      if (found.length === 0) return yield* invalid(`there is no letter ${letterNo}`)
    }
    const { landed, outdone, refused } = yield* letters
      .replay({ ...filter, ...(numbers.length === 0 ? {} : { letters: numbers }) }, { replace })
      .pipe(Effect.mapError(databaseRefusal))
    const stay = [...refused.values()].reduce((sum, count) => sum + count, 0)
    const lines = [
      `${landed} landed${outdone === 0 ? "" : `, ${outdone} settled by later deliveries`}, ${stay} refused`,
      ...Array.from(refused, ([why, count]) => `${`${count}`.padStart(6)}  ${why}`)
    ]
    yield* printResult(
      json ? JSON.stringify({ landed, outdone, refused: Object.fromEntries(refused) }) : lines.join("\n")
    )
  }, Effect.scoped)
).pipe(Command.withDescription("Load letters again; each lands once, however often this is run"))

/** `sluice dlq`: records that were set aside. */
export const dlq = Command.make("dlq").pipe(
  Command.withDescription("List, show and load again what was set aside"),
  Command.withSubcommands([list, show, replay])
)

const asRow = (letter: Postgres.Letter) => ({
  letter: letter.letterNo,
  run_id: letter.runId,
  pipeline: letter.pipeline,
  sink: letter.sink,
  job_id: letter.jobId,
  url: letter.url,
  reason: letter.reason,
  detail: letter.detail,
  bytes: letter.bytes,
  created_at: letter.createdAt,
  replayed_at: letter.replayedAt
})
