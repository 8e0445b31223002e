import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LoadedPage, LoadedRows, SinkUnderTest } from "@sluice/testkit"
import { Effect, type Scope } from "effect"
import { type Database, type LoadMode, Postgres, type PostgresSinkOptions } from "../src/index.ts"

/** Where tests may put schemas. */
export type Place = Pick<PostgresSinkOptions, "url" | "directory">

/** A place of its own for an embedded database, gone with the scope. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "sluice-pglite-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

let schemas = 0

/** A name no other test of this process and place uses. */
export const freshSchema = (): string => `t${++schemas}`

/** The modes a sink loads in, and what each keeps of a first run once a second is published. */
const keepsOf = {
  append: "every delivery",
  merge: "the latest",
  replace: "the last run",
  history: "every version"
} as const

/** A sink over a schema of its own, read as its readers should. */
export const sinkIn = Effect.fnUntraced(function* (
  place: Place,
  mode: LoadMode,
  options: PostgresSinkOptions = {}
): Effect.fn.Return<SinkUnderTest & { readonly database: Database }, unknown, Scope.Scope> {
  const schema = freshSchema()
  const database = yield* Postgres.open({ ...place, schema })
  return {
    sink: Postgres.sink({ ...place, schema, mode, ...options }),
    database,
    keeps: keepsOf[mode],
    read: Effect.orDie(readLanded(database, mode === "append" ? "" : "current_"))
  }
})

const readLanded = Effect.fnUntraced(function* (database: Database, view: "" | "current_") {
  const pages = yield* database.query(`
    SELECT p.url, parent_url AS "parentUrl", depth, input_index AS "inputIndex", status, error_code AS "errorCode",
      error_message AS "errorMessage", markdown, html, http_status AS "httpStatus", duration_ms AS "durationMs",
      retry_count AS "retryCount", tokens_charged AS "tokensCharged", extra,
      ARRAY(SELECT l.url FROM ${view}links l WHERE l.set_no = p.set_no AND l.page_key = p.page_key ORDER BY position) AS links
    FROM ${view}pages p JOIN ${view}page_metadata m USING (set_no, page_key)`)
  const summaries = yield* database.query(
    `SELECT job_id AS "jobId", tokens_charged AS "tokensCharged" FROM token_summaries JOIN jobs USING (job_no)`
  )
  const deadLetters = yield* database.query(`SELECT job_id AS "jobId", url, reason FROM dead_letters`)
  return {
    pages: pages as unknown as ReadonlyArray<LoadedPage>,
    summaries: summaries as unknown as LoadedRows["summaries"],
    deadLetters: deadLetters as unknown as LoadedRows["deadLetters"]
  }
})
