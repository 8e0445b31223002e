import { Effect, Option, Redacted, Schedule, type Scope } from "effect"
import pg from "pg"
import type { ScraperStartError, Settings } from "../../ScraperConfig.ts"
import { StoreError } from "../Files.ts"
import type { State } from "../State.ts"
import { call } from "./PgCall.ts"
import { acquireStateLease } from "./StateLease.ts"

const retryEveryMs = 200

/**
 * State in a Postgres database, in the schema `sluice_scraper`, of which a database has one. Every write is a transaction of its
 * own, durable as the database makes it. A connection that is lost is waited for; every statement may be sent again.
 */
export const openPostgresState = Effect.fnUntraced(function* (
  url: Redacted.Redacted<string>,
  { stateConnections, stateRetryMs, stateTimeoutMs }: Settings
): Effect.fn.Return<State, ScraperStartError, Scope.Scope> {
  const { epoch, isLost } = yield* acquireStateLease(url, stateTimeoutMs)
  const pool = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new pg.Pool({
          connectionString: Redacted.value(url),
          max: stateConnections,
          connectionTimeoutMillis: stateTimeoutMs,
          query_timeout: stateTimeoutMs,
          application_name: "sluice-scraper"
        })
    ),
    (pool) => Effect.ignore(call("close", () => pool.end()))
  )
  // Without a listener the error of an idle connection ends the process.
  pool.on("error", () => undefined)

  const again = Schedule.spaced(retryEveryMs).pipe(Schedule.upTo({ duration: stateRetryMs }))
  const query = <Row extends object>(operation: string, text: string, values: ReadonlyArray<unknown>) =>
    call(operation, async () => (await pool.query<Row>(text, [...values])).rows).pipe(
      Effect.retry({ schedule: again, while: (failure) => failure.isRetryable && !isLost() }),
      Effect.mapError(({ code }) => new StoreError({ operation, cause: code }))
    )

  /**
   * Changes something, if no other server has taken the state over since. The row that says so is locked against the change
   * that a take-over makes: what is written is there before the other server reads, or is refused.
   */
  const change = Effect.fnUntraced(function* (
    operation: string,
    statements: ReadonlyArray<string>,
    values: ReadonlyArray<unknown>
  ) {
    const [row] = yield* query<{ readonly held: boolean }>(
      operation,
      `WITH held AS MATERIALIZED (SELECT 1 FROM sluice_scraper.holder WHERE epoch = $1 FOR SHARE),
        ${statements.map((statement, index) => `change${index} AS (${statement})`).join()}
        SELECT count(*) > 0 AS held FROM held`,
      [epoch, ...values]
    )
    if (row?.held !== true) {
      return yield* new StoreError({ operation, cause: "another server has taken over the state" })
    }
  })

  // Where texts end that grow. One path is appended to by one fiber at a time.
  const ends = new Map<string, number>()
  const sizeOf = (path: string) =>
    query<{ readonly size: number }>(
      "size",
      `SELECT (at + octet_length(body))::float8 AS size FROM sluice_scraper.text
        WHERE path = $1 ORDER BY at DESC LIMIT 1`,
      [path]
    ).pipe(Effect.map(([row]) => row?.size ?? 0))
  const write = (path: string, text: string) => {
    ends.delete(path)
    return change(
      "write",
      [
        "DELETE FROM sluice_scraper.text WHERE path = $2 AND at > 0 AND EXISTS (SELECT 1 FROM held)",
        `INSERT INTO sluice_scraper.text (path, at, body) SELECT $2, 0, $3 FROM held
          ON CONFLICT (path, at) DO UPDATE SET body = excluded.body`
      ],
      [path, text]
    )
  }
  const bodiesOf = (path: string) =>
    query<{ readonly body: string }>("read", "SELECT body FROM sluice_scraper.text WHERE path = $1 ORDER BY at", [path])

  return {
    records: (folder, file) =>
      query<{ readonly name: string; readonly body: string | null }>(
        "list",
        `SELECT split_part(substr(path, length($1) + 2), '/', 1) AS name,
          max(body) FILTER (WHERE path = $1 || '/' || split_part(substr(path, length($1) + 2), '/', 1) || '/' || $2) AS body
          FROM sluice_scraper.text WHERE path > $1 || '/' AND path < $1 || '0' GROUP BY 1`,
        [folder, file]
      ).pipe(Effect.map((rows) => rows.map(({ body, name }) => [name, Option.fromNullishOr(body)] as const))),
    prepare: () => Effect.void,
    read: (path) =>
      Effect.map(bodiesOf(path), (rows) =>
        rows.length === 0 ? Option.none() : Option.some(rows.map(({ body }) => body).join(""))
      ),
    write,
    append: Effect.fnUntraced(function* (path, lines) {
      const at = ends.get(path) ?? (yield* sizeOf(path))
      ends.delete(path)
      yield* change(
        "append",
        [
          `INSERT INTO sluice_scraper.text (path, at, body) SELECT $2, $3::bigint, $4 FROM held
            ON CONFLICT (path, at) DO UPDATE SET body = excluded.body`
        ],
        [path, at, lines]
      )
      ends.set(path, at + Buffer.byteLength(lines))
    }),
    readLines: (path) =>
      Effect.map(bodiesOf(path), (rows) => rows.flatMap(({ body }) => body.split("\n").slice(0, -1))),
    sizeOf,
    bytesIn: (folder) =>
      query<{ readonly size: number }>(
        "size",
        `SELECT coalesce(sum(octet_length(body)), 0)::float8 AS size FROM sluice_scraper.text
          WHERE path > $1 || '/' AND path < $1 || '0'`,
        [folder]
      ).pipe(Effect.map(([row]) => row?.size ?? 0)),
    readAppended: (path, offset, size) =>
      query<{ readonly body: string }>("read", "SELECT body FROM sluice_scraper.text WHERE path = $1 AND at = $2", [
        path,
        offset
      ]).pipe(Effect.map(([row]) => Buffer.from(row?.body ?? "").toString("utf8", 0, size))),
    sync: (path) => Effect.sync(() => void ends.delete(path)),
    remove: (path) => {
      ends.delete(path)
      return change(
        "remove",
        [
          `DELETE FROM sluice_scraper.text
            WHERE (path = $2 OR (path > $2 || '/' AND path < $2 || '0')) AND EXISTS (SELECT 1 FROM held)`
        ],
        [path]
      )
    },
    probe: write("probe", "")
  }
})
