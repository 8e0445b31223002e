import { cleanText, type RunHandle, unpublishedKept } from "@sluice/core/sink"
import { Effect, Schema } from "effect"
import type { Queryable } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { LoadMode, type PostgresSinkConfig } from "../PostgresSinkConfig.ts"

/** The tables hold pages of this pipeline and sink in another mode than the one that is set. */
export class ModeChanged extends Schema.TaggedError<ModeChanged>()("ModeChanged", {
  pipeline: Schema.String,
  sink: Schema.String,
  mode: LoadMode,
  held: LoadMode
}) {
  get detail(): string {
    return `pipeline "${this.pipeline}" was loaded here in mode ${this.held}, and mode ${this.mode} cannot continue its pages: set "mode" back to ${this.held}, or give the sink another "name" or "schema" to start new pages beside them`
  }
  override get message(): string {
    return this.detail
  }
}

/** In `replace`: this run's pages are gone or going, because a later run is what readers see, or because they were kept long enough. */
export class SetSuperseded extends Schema.TaggedError<SetSuperseded>()("SetSuperseded", {
  runId: Schema.String,
  /** Whether readers see a later run. */
  isReplaced: Schema.Boolean
}) {
  get detail(): string {
    const { isReplaced, runId } = this
    return isReplaced
      ? `a later run of this pipeline has been published, and the pages of run ${runId} are no longer kept`
      : `the pages of run ${runId} are no longer kept: of runs that ended without being published, the newest ${unpublishedKept.runs} are, for ${unpublishedKept.days} days each`
  }
  override get message(): string {
    return this.detail
  }
}

/** Why a set may not be written. */
export type SetRefusal = ModeChanged | SetSuperseded

/** What a set is identified by. */
export interface SetIdentity {
  readonly pipeline: string
  readonly sink: string
  readonly mode: LoadMode
  /** In append mode. */
  readonly jobNo: number | null
  /** In replace mode. */
  readonly runId: string | null
}

/** The set that a job's pages go to. */
export const setOf = (
  config: Pick<PostgresSinkConfig, "mode" | "name">,
  run: Pick<RunHandle, "runId" | "pipeline">,
  jobNo: number | null
): SetIdentity => ({
  pipeline: run.pipeline,
  sink: config.name,
  mode: config.mode,
  jobNo: config.mode === "append" ? jobNo : null,
  runId: config.mode === "replace" ? run.runId : null
})

/** Gives a set its number, and tells whether it is new: then nothing can stand in it yet. */
export const registerSet = Effect.fnUntraced(function* (
  tx: Queryable,
  set: SetIdentity
): Effect.fn.Return<{ readonly setNo: number; readonly isNew: boolean }, DatabaseError | ModeChanged> {
  const identity = [...placeOf(set), set.mode, set.jobNo, set.runId]
  const [created] = yield* tx.query(
    `INSERT INTO page_sets (pipeline, sink, mode, job_no, run_id, state)
     SELECT $1::text, $2::text, $3::text, $4::int, $5::uuid, CASE $3::text WHEN 'replace' THEN 'open' ELSE 'current' END
     WHERE NOT EXISTS (SELECT FROM page_sets WHERE pipeline = $1 AND sink = $2 AND mode = ANY ($6::text[]))
     ON CONFLICT DO NOTHING RETURNING set_no`,
    [...identity, othersThan(set.mode)]
  )
  if (created !== undefined) return { setNo: Number(created.set_no), isNew: true }
  const [existing] = yield* tx.query(
    `SELECT set_no FROM page_sets WHERE pipeline = $1 AND sink = $2 AND mode = $3
       AND job_no IS NOT DISTINCT FROM $4::int AND run_id IS NOT DISTINCT FROM $5::uuid`,
    identity
  )
  if (existing === undefined) return yield* refuseOtherModes(tx, set).pipe(Effect.andThen(Effect.die("no set")))
  return { setNo: Number(existing.set_no), isNew: false }
})

/** Fails where sets of the same pipeline and sink are in another mode. */
export const refuseOtherModes = Effect.fnUntraced(function* (
  tx: Queryable,
  set: Pick<SetIdentity, "pipeline" | "sink" | "mode">
): Effect.fn.Return<void, DatabaseError | ModeChanged> {
  const [other] = yield* tx.query(
    "SELECT mode FROM page_sets WHERE pipeline = $1 AND sink = $2 AND mode = ANY ($3::text[]) LIMIT 1",
    [...placeOf(set), othersThan(set.mode)]
  )
  if (other === undefined) return
  const held = yield* Effect.orDie(Schema.decodeUnknownEffect(LoadMode)(other.mode))
  return yield* new ModeChanged({ pipeline: set.pipeline, sink: set.sink, mode: set.mode, held })
})

/** Pipeline and sink as the tables hold them. */
export const placeOf = ({ pipeline, sink }: Pick<SetIdentity, "pipeline" | "sink">): readonly [string, string] => [
  cleanText(pipeline),
  cleanText(sink)
]

/** Named, not negated: a pipeline can have a set a job, and an index finds the others without reading those. */
const othersThan = (mode: LoadMode): string => `{${LoadMode.literals.filter((other) => other !== mode).join(",")}}`
