import { PipelineName } from "@sluice/core/config"
import { RunStatus } from "@sluice/core/sink"
import { Clock, Effect, Option, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { loadIfFound } from "../database.ts"
import { describeRuns, runJson } from "../describeRuns.ts"
import { Environment } from "../Environment.ts"
import { followRuns } from "../followRuns.ts"
import { printResult } from "../Output.ts"
import { openReaderOf, readRuns } from "../runsReader.ts"
import { sinceOf } from "../sinceOf.ts"
import { jsonFlag, pipelineArgument } from "./run.ts"

/** `sluice runs`: what has been run, newest first. */
export const runs = Command.make(
  "runs",
  {
    file: pipelineArgument,
    json: jsonFlag,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("Most runs to list"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
      Flag.withDefault(20)
    ),
    pipeline: Flag.String("pipeline").pipe(
      Flag.withDescription("Only runs of the pipeline of this name"),
      Flag.withSchema(PipelineName),
      Flag.optional
    ),
    status: Flag.Literals("status", ["running", ...RunStatus.literals]).pipe(
      Flag.withDescription("Only runs of this status"),
      Flag.optional
    ),
    since: Flag.String("since").pipe(
      Flag.withDescription(
        "Only runs that began since then: 90m, 24h, 7d, or a date as 2026-01-31 or 2026-01-31T06:00Z"
      ),
      Flag.optional
    ),
    follow: Flag.Boolean("follow").pipe(
      Flag.withDescription("Keep printing runs as they begin and end, until it is interrupted"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ file, follow, json, limit, pipeline, since, status }) {
    const from = Option.isNone(since) ? undefined : yield* sinceOf(since.value, yield* Clock.currentTimeMillis)
    const filter = {
      limit,
      ...(Option.isSome(pipeline) ? { pipeline: pipeline.value } : {}),
      ...(Option.isSome(status) ? { status: status.value } : {}),
      ...(from === undefined ? {} : { since: from })
    }
    const { outputColumns } = yield* Environment
    const loaded = yield* loadIfFound(file)
    if (follow) {
      return yield* followRuns(loaded, filter).pipe(
        Stream.runForEach(({ changed, isFirst, now }) => {
          if (json) return Effect.forEach(changed, (run) => printResult(JSON.stringify(runJson(run, now))))
          const lines = describeRuns(changed, now, outputColumns?.())
          return Effect.forEach(isFirst ? lines : lines.slice(1), printResult)
        })
      )
    }
    const ledger = yield* openReaderOf(loaded)
    const listed = yield* readRuns(ledger, filter)
    const now = yield* Clock.currentTimeMillis
    if (json) return yield* printResult(JSON.stringify(listed.map((run) => runJson(run, now))))
    if (listed.length > 0) return yield* printResult(describeRuns(listed, now, outputColumns?.()).join("\n"))
    yield* printResult(Object.keys(filter).length === 1 ? "no runs yet" : "no such runs")
  }, Effect.scoped)
).pipe(Command.withDescription("List runs, newest first, also while one is under way"))
