import type { PlannedChange, SinkPlan } from "@sluice/core/sink"
import { Effect, type Scope } from "effect"
import type { Database } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import type { MigrationError } from "../database/Migrations.ts"
import { closeAfterOf, type PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { placeOf, refuseOtherModes, type SetRefusal } from "../pages/PageSets.ts"
import { plan as planDatabase } from "./databasePlan.ts"

/** Says what a run would do to a Postgres sink. Writes nothing; fails where the sink would refuse the pipeline. */
export const sinkPlan = Effect.fnUntraced(function* (
  config: PostgresSinkConfig,
  pipeline: string
): Effect.fn.Return<SinkPlan, DatabaseError | MigrationError | SetRefusal, Scope.Scope> {
  const { database, isCurrent, ledger, ...store } = yield* planDatabase(config)
  const of = { pipeline, sink: config.name, mode: config.mode }
  const readable = isCurrent ? database : undefined
  if (readable !== undefined) yield* refuseOtherModes(readable, of)
  const changes: Array<PlannedChange> = []
  if (ledger === "new")
    changes.push({ action: "create", what: `the tables and views of Sluice in schema "${config.schema}"` })
  if (ledger === "outdated") changes.push({ action: "create", what: "what later versions have added to its tables" })
  changes.push(...(yield* changesOf(readable, config, pipeline)))
  return { ...store, changes, ...(ledger === undefined ? {} : { ledger }) }
})

const current = `
SELECT set_no, run_id::text, completed_pages FROM page_sets
WHERE pipeline = $1 AND sink = $2 AND mode = $3 AND state = 'current' ORDER BY set_no DESC LIMIT 1`

const late = "SELECT count(*)::int AS pages FROM missing_pages WHERE set_no = $1 AND misses >= $2"

/** What readers of a mode come to see. */
const changesOf = Effect.fnUntraced(function* (
  database: Database | undefined,
  config: PostgresSinkConfig,
  pipeline: string
): Effect.fn.Return<ReadonlyArray<PlannedChange>, DatabaseError> {
  const { mode, name } = config
  const [set] =
    database === undefined ? [] : yield* database.query(current, [...placeOf({ pipeline, sink: name }), mode])
  switch (mode) {
    case "append":
      return [{ action: "add", what: "the pages of its jobs, beside those of earlier jobs" }]
    case "merge":
      return [
        { action: "add", what: "pages that were not loaded before" },
        ...(set === undefined ? [] : [{ action: "replace" as const, what: "rows of pages that differ" }])
      ]
    case "replace": {
      if (set === undefined) return [{ action: "add", what: "the pages of the run, once it has completed" }]
      const pages = set.completed_pages === null ? "the pages" : `the ${set.completed_pages} completed pages`
      return [{ action: "replace", what: `${pages} of run ${set.run_id}, once this one has completed` }]
    }
    case "history": {
      const closeAfter = closeAfterOf(config)
      const added: PlannedChange = { action: "add", what: "new pages, and new versions of those that differ" }
      if (set === undefined) return [added]
      if (closeAfter === 1) return [added, { action: "close", what: "pages that a whole crawl does not find" }]
      const [row] = yield* database?.query(late, [set.set_no, closeAfter - 1]) ?? Effect.succeed([])
      return [
        added,
        { action: "close", what: `at most ${row?.pages ?? 0} pages, that ${closeAfter} whole crawls have missed` }
      ]
    }
  }
})
