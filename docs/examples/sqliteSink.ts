// A sink of your own: SQLite, which Node has. Rows are durable before the commit, and readers see them once published.
import { DatabaseSync } from "node:sqlite"
import type { PageRecord, Sink } from "@sluice/core"
import { deadLetterOf, Publication, rawJson, SinkError, SinkFailed, type SinkSession } from "@sluice/core/sink"
import { Effect, Stream } from "effect"

const tables = `
  CREATE TABLE IF NOT EXISTS records (run, seq, epoch, n, job, url, reason, json, PRIMARY KEY (run, seq, epoch, n));
  CREATE TABLE IF NOT EXISTS published (run, seq, epoch, PRIMARY KEY (run, seq, epoch));
  CREATE TABLE IF NOT EXISTS jobs (job, observed, tokens, PRIMARY KEY (job, observed));`

const reasonFor = (cause: unknown) => new SinkFailed({ detail: String(cause), cause })
const sqliteError = { sink: "sqlite", operation: "use", isRetryable: false }
const failed = (cause: unknown) => new SinkError({ ...sqliteError, reason: reasonFor(cause) })
const attempt = <A>(run: () => A) => Effect.try({ try: run, catch: failed })

/** `reasonOf` says why the store does not take a record: by default, what no column of text or of integers takes. */
export const sqliteSink = (path: string, reasonOf = (record: PageRecord) => deadLetterOf(record)?.reason): Sink => ({
  kind: "sqlite",
  name: "sqlite",
  behaviour: {},
  connect: Effect.gen(function* () {
    const opened = attempt(() => new DatabaseSync(path))
    const database = yield* Effect.acquireRelease(opened, (open) => Effect.sync(() => open.close()))
    yield* attempt(() => database.exec(tables))
    const insert = database.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    const observe = database.prepare("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?)")
    const show = database.prepare("INSERT OR IGNORE INTO published VALUES (?, ?, ?)")
    const write: SinkSession["write"] = Effect.fnUntraced(function* ({ epoch, jobs, records, runId, seq }, commit) {
      yield* attempt(() => {
        for (const [n, page] of records.entries())
          insert.run(runId, seq, epoch, n, page.jobId, page.url, reasonOf(page) ?? null, rawJson(page))
        for (const { jobId, observedAt, tokensCharged } of jobs) observe.run(jobId, observedAt, tokensCharged)
      })
      const { kept = [], refused = [] } = Object.groupBy(records, (page) => (reasonOf(page) ? "refused" : "kept"))
      const rows = { pages: kept.length, links: kept.flatMap(({ links }) => links).length, page_metadata: kept.length }
      const result = { rows, deadLetters: refused.length }
      yield* commit.run({ ...result, quarantined: refused })
      return result
    })
    const publish = Effect.fnUntraced(function* (runId: string) {
      const { assertLease, segments } = yield* Publication
      yield* assertLease
      yield* Stream.runForEach(segments, ({ epoch, seq }) => attempt(() => show.run(runId, seq, epoch)))
    })
    const begin = ({ runId }: { runId: string }) => Effect.succeed({ concurrency: 1, write, publish: publish(runId) })
    return { ledger: undefined, begin }
  })
})
