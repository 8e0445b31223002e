// The published suite over a sink of your own: with columns that take no NUL byte, and with JSON that holds everything.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { PageRecord } from "@sluice/core"
import { type LoadedRows, loadedOf, sinkSuite } from "@sluice/testkit"
import { Effect } from "effect"
import { sqliteSink } from "./sqliteSink.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sqlite-sink-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const rows = (path: string, sql: string): ReadonlyArray<Record<string, unknown>> => {
  const database = new DatabaseSync(path)
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

const read = (path: string): LoadedRows => {
  const records = rows(path, "SELECT job, url, reason, json FROM records NATURAL JOIN published")
  return {
    pages: records
      .filter(({ reason }) => reason === null)
      .map(({ json }): PageRecord => JSON.parse(String(json)))
      .map(loadedOf),
    summaries: rows(path, "SELECT job, tokens, max(observed) FROM jobs GROUP BY job").map(({ job, tokens }) => ({
      jobId: String(job),
      tokensCharged: Number(tokens)
    })),
    deadLetters: records
      .filter(({ reason }) => reason !== null)
      .map(({ job, reason, url }) => ({ jobId: String(job), url: String(url), reason: String(reason) }))
  }
}

const under = (reasonOf?: Parameters<typeof sqliteSink>[1]) =>
  Effect.map(folder, (place) => {
    const path = join(place, "pages.sqlite")
    return { sink: sqliteSink(path, reasonOf), read: Effect.sync(() => read(path)), keeps: "every delivery" as const }
  })

sinkSuite("SQLite, no NUL byte", under())
sinkSuite(
  "SQLite, any text",
  under(({ refusal }) => refusal?.reason)
)
