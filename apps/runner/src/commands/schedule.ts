import { Postgres } from "@sluice/sink-postgres"
import { Clock, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { invalid } from "../CliError.ts"
import { databaseCliError } from "../cliErrors.ts"
import { openRunsDatabase } from "../database.ts"
import { printResult } from "../Output.ts"
import { checkPipelineFile, loadPipelineFile } from "../PipelineFile.ts"
import { describeTicks } from "../schedule/describeTicks.ts"
import { nextTicks } from "../schedule/ticksOf.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

const preview = Command.make(
  "preview",
  {
    file: pipelineArgument,
    json: jsonFlag,
    from: Flag.String("from").pipe(
      Flag.withDescription("An instant, such as 2026-10-24T00:00:00Z; now when absent"),
      Flag.withSchema(
        Schema.String.check(
          Schema.makeFilter((text) => !Number.isNaN(Date.parse(text)), {
            expected: "an instant, such as 2026-10-24T00:00:00Z"
          })
        )
      ),
      Flag.optional
    ),
    count: Flag.Int("count").pipe(
      Flag.withDescription("How many ticks. Default: 10"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
      Flag.withDefault(10)
    )
  },
  Effect.fnUntraced(function* ({ count, file, from, json }) {
    const { file: path, schedule } = yield* checkPipelineFile(file)
    if (Option.isNone(schedule)) {
      return yield* invalid(`${path} has no schedule: add one, such as schedule: "0 3 * * *"`)
    }
    const start = Option.isSome(from) ? Date.parse(from.value) : yield* Clock.currentTimeMillis
    const described = describeTicks(schedule.value, nextTicks(schedule.value, start, count))
    yield* printResult(
      json
        ? JSON.stringify(described)
        : described.map(({ at, local, note }) => `${at}  ${local}${note === undefined ? "" : `  ${note}`}`).join("\n")
    )
  })
).pipe(
  Command.withDescription(
    "Print the next ticks of a pipeline's schedule, with what a change of the clocks does to them"
  )
)

const ticks = Command.make(
  "ticks",
  {
    file: pipelineArgument,
    json: jsonFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("Most ticks to list. Default: 20"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
      Flag.withDefault(20)
    )
  },
  Effect.fnUntraced(function* ({ file, json, limit }) {
    const loaded = yield* loadPipelineFile(file)
    const database = yield* openRunsDatabase(Option.some(loaded))
    const listed = yield* Postgres.tickLog(database)
      .list(loaded.pipeline.name, limit)
      .pipe(Effect.mapError(databaseCliError))
    const rows = listed.map(({ dueAt, runId, state }) => ({
      due_at: new Date(dueAt).toISOString(),
      state,
      run_id: state === "begun" || state === "due" ? runId : null
    }))
    const lines = rows.map(({ due_at, run_id, state }) => `${due_at}  ${state.padEnd(7)}  ${run_id ?? ""}`.trimEnd())
    yield* printResult(json ? JSON.stringify(rows) : lines.length === 0 ? "no ticks yet" : lines.join("\n"))
  }, Effect.scoped)
).pipe(Command.withDescription("List the ticks of a pipeline that workers have decided, newest first, and their runs"))

/** `sluice schedule`: what a pipeline's schedule says. */
export const schedule = Command.make("schedule").pipe(
  Command.withDescription("Look at the schedule of a pipeline, and at what became of its ticks"),
  Command.withSubcommands([preview, ticks])
)
