import { Effect, Schema } from "effect"
import type { Transaction } from "../database/Database.ts"
import { DatabaseError, Denied, inFull, Other } from "../database/DatabaseError.ts"
import { contentColumns, fetchColumns } from "../pages/PageColumns.ts"
import { encodeStage, type RowKeyedRecord, stageTarget } from "../pages/Rows.ts"
import type { Loss } from "./Loss.ts"

/** When what takes the place of a row lands; later than that row did, whatever the server's clock has done in between. */
export const loadsAt = (row: string): string => `greatest(now(), ${row}.landed_at + interval '1 microsecond')`

// One stage for a page with all that came with it: its links as an array cost one row, not one each. Every lookup goes by
// primary key, so the plan must not depend on statistics a fresh table lacks: a hash join would read the whole table.
const prepare = `
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL client_min_messages = error;
CREATE TEMPORARY TABLE IF NOT EXISTS sluice_stage (
  set_no int NOT NULL, page_key bigint NOT NULL, job_no int NOT NULL, url text NOT NULL, parent_url text, depth int,
  input_index int, status text NOT NULL, error_code text, error_message text, markdown text, html text, fingerprint bigint, extra jsonb,
  http_status int, duration_ms int, retry_count int, tokens_charged int, links text[] NOT NULL
) ON COMMIT DELETE ROWS;
TRUNCATE sluice_stage`

/** `compared` decides whether a row is written; `carried` goes along when it is. */
const mergeInto = (
  table: string,
  compared: ReadonlyArray<string>,
  carried: ReadonlyArray<string>,
  alsoSet: ReadonlyArray<string>
) => {
  const values = [...carried, ...compared]
  const columns = ["set_no", "page_key", ...values]
  const list = (names: ReadonlyArray<string>, of: string) => names.map((name) => `${of}.${name}`).join(", ")
  return `MERGE INTO ${table} t USING sluice_stage s ON t.set_no = s.set_no AND t.page_key = s.page_key
WHEN MATCHED AND (${list(compared, "t")}) IS DISTINCT FROM (${list(compared, "s")})
  THEN UPDATE SET ${[...values.map((name) => `${name} = s.${name}`), ...alsoSet].join(", ")}
WHEN NOT MATCHED THEN INSERT (${columns.join(", ")}) VALUES (${list(columns, "s")})`
}

const mergePages = mergeInto("pages", contentColumns, ["job_no"], [`landed_at = ${loadsAt("t")}`])
const mergeMetadata = mergeInto("page_metadata", ["job_no", ...fetchColumns], [], [])

// A page that a trigger has dropped: what came with it would belong to nothing.
const dropAbsent = `
WITH absent AS (
  DELETE FROM sluice_stage s WHERE NOT EXISTS (
    SELECT FROM pages p WHERE p.set_no = s.set_no AND p.page_key = s.page_key)
  RETURNING set_no, page_key, cardinality(links) AS links)
SELECT coalesce(array_agg(set_no || ':' || page_key), '{}') AS pages, coalesce(sum(links), 0)::int AS links FROM absent`

const countLostMetadata = `
SELECT count(*)::int AS lost FROM sluice_stage s WHERE NOT EXISTS (
  SELECT FROM page_metadata m WHERE m.set_no = s.set_no AND m.page_key = s.page_key)`

// By now the stage has served for pages and metadata: what is left in it are pages whose links differ.
const dropUnchangedLinks = `
DELETE FROM sluice_stage s WHERE links = ARRAY(
  SELECT l.url FROM links l WHERE l.set_no = s.set_no AND l.page_key = s.page_key ORDER BY l.position)`

const dropSurplusLinks = `
DELETE FROM links l USING sluice_stage s
WHERE l.set_no = s.set_no AND l.page_key = s.page_key AND l.position >= cardinality(s.links)`

const mergeLinks = `
MERGE INTO links t USING (
  SELECT s.set_no, s.page_key, (e.position - 1)::int AS position, e.url
  FROM sluice_stage s CROSS JOIN LATERAL unnest(s.links) WITH ORDINALITY AS e (url, position)
) s ON t.set_no = s.set_no AND t.page_key = s.page_key AND t.position = s.position
WHEN MATCHED AND t.url IS DISTINCT FROM s.url THEN UPDATE SET url = s.url
WHEN NOT MATCHED THEN INSERT (set_no, page_key, position, url) VALUES (s.set_no, s.page_key, s.position, s.url)`

const countLostLinks = `
SELECT coalesce(sum(cardinality(s.links) - (
  SELECT count(*) FROM links l WHERE l.set_no = s.set_no AND l.page_key = s.page_key)), 0)::int AS lost FROM sluice_stage s`

const merge = [
  mergePages,
  dropAbsent,
  mergeMetadata,
  countLostMetadata,
  dropUnchangedLinks,
  dropSurplusLinks,
  mergeLinks,
  countLostLinks
].join(";\n")

const Merged = Schema.Tuple([
  Schema.Unknown,
  Schema.Tuple([Schema.Struct({ pages: Schema.Array(Schema.String), links: Schema.Int })]),
  Schema.Unknown,
  Schema.Tuple([Schema.Struct({ lost: Schema.Int })]),
  Schema.Unknown,
  Schema.Unknown,
  Schema.Unknown,
  Schema.Tuple([Schema.Struct({ lost: Schema.Int })])
])
const decodeMerged = Schema.decodeUnknownEffect(Merged)

/**
 * Merges pages that may be there already, by way of a session-temporary stage, and writes only what differs. Without records it
 * runs the same statements, which then meet what refuses them whatever the row.
 */
export const mergeRecords = Effect.fnUntraced(function* (
  tx: Transaction,
  records: ReadonlyArray<RowKeyedRecord>
): Effect.fn.Return<Loss, DatabaseError> {
  yield* prepareStage(tx)
  yield* tx.copyIn(stageTarget, encodeStage(records))
  const answers = yield* tx.execute(merge)
  const [, [absent], , [metadata], , , , [links]] = yield* Effect.orDie(decodeMerged(answers))
  return {
    pages: absent.pages,
    links: absent.links + links.lost,
    metadata: absent.pages.length + metadata.lost
  }
})

/** No row is in it yet: whatever refuses this is no refusal of a row, and may be told in full. */
const prepareStage = (tx: Transaction): Effect.Effect<void, DatabaseError> =>
  tx.execute(prepare).pipe(
    Effect.mapError((error) => {
      const { operation, reason } = inFull(error)
      if (reason._tag === "Denied") {
        const detail = `${reason.detail}; pages that may be there already are merged by way of a temporary table, so grant the role TEMPORARY on the database`
        return new DatabaseError({ operation, reason: new Denied({ detail }) })
      }
      if (reason._tag !== "Other") return error
      const detail = `the temporary table "sluice_stage", by way of which pages are merged, cannot be made: ${reason.detail}`
      return new DatabaseError({ operation, reason: new Other({ sqlState: reason.sqlState, detail }) })
    }),
    Effect.asVoid
  )
