import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { migrations } from "../src/database/migrations.generated.ts"
import { type Database, Postgres } from "../src/index.ts"
import { freshSchema, type Place } from "./databases.ts"

/** Statements that are no query, one for each way around one. */
const commands: ReadonlyArray<readonly [string, RegExp]> = [
  ["INSERT INTO mine VALUES (2)", /^INSERT may change something/],
  ["UPDATE mine SET n = 2", /^UPDATE may/],
  ["DELETE FROM mine", /^DELETE may/],
  ["TRUNCATE mine", /^TRUNCATE may/],
  ["MERGE INTO mine USING mine AS m ON false WHEN NOT MATCHED THEN INSERT VALUES (2)", /^MERGE may/],
  ["DROP TABLE mine", /^DROP TABLE may/],
  ["CREATE TABLE other (n int)", /^CREATE may/],
  ["CREATE TEMP TABLE other AS SELECT 1", /^CREATE TABLE AS may/],
  ["SELECT 1 AS n INTO other", /^SELECT INTO may/],
  ["SELECT 1 AS n INTO TEMP other", /^SELECT INTO may/],
  ["ALTER SYSTEM SET work_mem = '1GB'", /^ALTER SYSTEM may/],
  ["COPY mine TO '/tmp/sluice-stolen'", /^COPY may/],
  ["COPY (SELECT 1) TO PROGRAM 'touch /tmp/sluice-stolen'", /^COPY may/],
  ["COPY mine FROM '/dev/zero'", /^COPY may/],
  ["DO $$ BEGIN DELETE FROM mine; END $$", /^DO may/],
  ["CALL anything()", /^CALL may/],
  ["WITH gone AS (DELETE FROM mine RETURNING n) SELECT * FROM gone", /^DELETE may/],
  ["WITH a AS (WITH b AS (INSERT INTO mine VALUES (2) RETURNING n) SELECT * FROM b) SELECT * FROM a", /^INSERT may/],
  ["EXPLAIN ANALYZE DELETE FROM mine", /^DELETE may/],
  ["EXPLAIN DELETE FROM mine", /^DELETE may/],
  ["EXPLAIN ANALYZE CREATE TABLE other AS SELECT 1", /^CREATE TABLE AS may/],
  ["EXPLAIN ANALYZE EXECUTE anything", /^EXECUTE may/],
  ["SELECT * FROM mine FOR UPDATE", /^SELECT FOR UPDATE or FOR SHARE may/],
  ["SELECT * FROM (SELECT * FROM mine FOR SHARE) m", /^SELECT FOR UPDATE or FOR SHARE may/],
  ["SET ROLE postgres", /^SET may/],
  ["RESET ROLE", /^RESET may/],
  ["RESET ALL", /^RESET may/],
  ["SET SESSION AUTHORIZATION DEFAULT", /^SET may/],
  ["SET transaction_read_only = off", /^SET may/],
  ["BEGIN", /^BEGIN may/],
  ["COMMIT", /^COMMIT may/],
  ["ROLLBACK", /^ROLLBACK may/],
  ["SAVEPOINT a", /^SAVEPOINT may/],
  ["DECLARE c CURSOR FOR SELECT 1", /^DECLARE CURSOR may/],
  ["FETCH c", /^FETCH may/],
  ["PREPARE a AS DELETE FROM mine", /may change something/],
  ["EXECUTE a", /^EXECUTE may/],
  ["DEALLOCATE ALL", /^DEALLOCATE may/],
  ["LISTEN a", /^LISTEN may/],
  ["NOTIFY a", /^NOTIFY may/],
  ["LOCK TABLE mine", /^LOCK may/],
  ["VACUUM mine", /^VACUUM may/],
  ["ANALYZE mine", /^VACUUM may/],
  ["CHECKPOINT", /^CHECK POINT may/],
  ["DISCARD ALL", /^DISCARD may/],
  ["LOAD 'anything'", /^LOAD may/],
  ["CREATE EXTENSION anything", /^CREATE EXTENSION may/],
  ["REFRESH MATERIALIZED VIEW anything", /^REFRESH MAT VIEW may/],
  ["GRANT ALL ON mine TO PUBLIC", /^GRANT may/],
  ["SELECT 1; DELETE FROM mine", /^multiple commands/],
  ["COMMIT; DELETE FROM mine", /^multiple commands/],
  ["SELECT 'a\\'; DELETE FROM mine; --'", /^multiple commands|syntax error|unterminated/],
  ["", /^there is no statement in it$/],
  ["-- nothing", /^there is no statement in it$/],
  ["SELEC 1", /^syntax error at or near "SELEC"$/],
  [`SELECT ${"(".repeat(100_000)}1`, /could not be read by the grammar|syntax error|memory/]
]

/** Calls with effects, and the name that a refusal gives. */
const calls: ReadonlyArray<readonly [string, string]> = [
  ["nextval('counted')", "nextval"],
  ["setval('counted', 9)", "setval"],
  ["set_config('role', 'none', false)", "set_config"],
  ["set_config('transaction_read_only', 'off', false)", "set_config"],
  ["pg_read_file('PG_VERSION')", "pg_read_file"],
  ["pg_ls_dir('.')", "pg_ls_dir"],
  ["lo_export(1, '/tmp/sluice-stolen')", "lo_export"],
  ["lo_create(0)", "lo_create"],
  ["pg_terminate_backend(0)", "pg_terminate_backend"],
  ["pg_notify('a', 'b')", "pg_notify"],
  ["pg_advisory_lock(1)", "pg_advisory_lock"],
  ["pg_reload_conf()", "pg_reload_conf"],
  ["query_to_xml('DELETE FROM mine', true, true, '')", "query_to_xml"],
  ["pg_export_snapshot()", "pg_export_snapshot"],
  ["pg_logical_emit_message(false, 'a', 'b')", "pg_logical_emit_message"],
  ["wipe()", "wipe"]
]

/** The same call as others write it. */
const spellings: ReadonlyArray<(call: string, name: string) => string> = [
  (call) => call,
  (call) => call.toUpperCase().replaceAll("COUNTED", "counted"),
  (call, name) => call.replace(name, `"${name}"`),
  (call, name) => call.replace(name, `U&"${name.replace(/^./, (first) => `\\00${first.charCodeAt(0).toString(16)}`)}"`),
  (call, name) => (name === "wipe" ? call : call.replace(name, `pg_catalog /* a -- b */ . ${name}`))
]

/** Where a call can be. */
const places: ReadonlyArray<(call: string) => string> = [
  (call) => `SELECT ${call}`,
  (call) => `SELECT * FROM ${call} AS f`,
  (call) => `SELECT * FROM mine CROSS JOIN LATERAL ${call} AS f`,
  (call) => `SELECT 1 WHERE (${call})::text = 'a'`,
  (call) => `WITH w AS MATERIALIZED (SELECT (${call})::text AS t) SELECT t FROM w`,
  (call) => `VALUES ((${call})::text)`,
  (call) => `SELECT 1 UNION ALL SELECT 1 FROM (SELECT (${call})::text) AS s`,
  (call) => `SELECT CASE WHEN true THEN (${call})::text END`,
  (call) => `SELECT ARRAY[(${call})::text]`,
  (call) => `SELECT count(*) FILTER (WHERE (${call})::text = '') FROM mine`,
  (call) => `SELECT n FROM mine ORDER BY (${call})::text`,
  (call) => `SELECT n FROM mine GROUP BY n HAVING max((${call})::text) = ''`,
  (call) => `SELECT n FROM mine LIMIT (SELECT length((${call})::text))`,
  (call) => `SELECT row_number() OVER (ORDER BY (${call})::text) FROM mine`,
  (call) => `EXPLAIN ANALYZE SELECT ${call}`,
  (call) => `SELECT coalesce((${call})::text, 'a') IN (SELECT 'b')`,
  (call) => `SELECT * FROM ROWS FROM (${call}) AS f`
]

/** What analysts ask. */
const questions: ReadonlyArray<string> = [
  "SELECT status, count(*), avg(length(markdown)) FROM current_pages GROUP BY ROLLUP (status) ORDER BY 1",
  "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) OVER (ORDER BY n) FROM t",
  "SELECT url, lag(url) OVER w, random(), gen_random_uuid(), clock_timestamp() FROM pages WINDOW w AS (PARTITION BY depth)",
  "SELECT pg_size_pretty(pg_total_relation_size('pages')), now(), current_user, date_trunc('day', now())",
  "SELECT * FROM generate_series(1, 3) AS g(n), LATERAL (SELECT n * 2) AS d(m), unnest(ARRAY[1, 2]) WITH ORDINALITY",
  `SELECT '{"a": [1]}'::jsonb -> 'a' ->> 0, jsonb_path_query('{"a": 1}', '$.a'), regexp_replace('aa', 'a', 'b', 'g')`,
  "SELECT p.url, (p).status, (ROW(1, 2)).f1 FROM pages AS p TABLESAMPLE bernoulli (50)",
  "SELECT to_tsvector('english', coalesce(markdown, '')) @@ websearch_to_tsquery('english', 'home') FROM pages",
  "SELECT count(*) FROM information_schema.tables",
  "EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM pages",
  "SHOW server_version",
  "TABLE pages",
  "VALUES (1, 'a'), (2, 'b');",
  "SELECT 'it''s -- no; comment', $$ DELETE FROM mine; $$, E'a\\'b; c' -- the end; really"
]

/** What a query without rights to write may do, and that nothing else is changed by it. */
export const querySuite = (name: string, place: Effect.Effect<Place>): void => {
  const open = Effect.gen(function* () {
    const at = yield* place
    const database = yield* Postgres.open({ ...at, schema: freshSchema() })
    yield* Postgres.migrate(database)
    yield* database.query("CREATE TABLE mine AS SELECT 1 AS n")
    yield* database.query("CREATE SEQUENCE counted")
    yield* database.query("CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM mine RETURNING n'")
    yield* database.query("CREATE FUNCTION behind(mine) RETURNS int LANGUAGE sql AS 'DELETE FROM mine RETURNING n'")
    yield* database.query("CREATE FUNCTION takes(int) RETURNS int LANGUAGE sql AS 'DELETE FROM mine RETURNING n'")
    yield* database.query("CREATE OPERATOR ### (PROCEDURE = takes, RIGHTARG = int)")
    const state = database
      .query(
        `SELECT (SELECT json_agg(n) FROM mine)::text AS mine, (SELECT last_value FROM counted) AS counted,
           (SELECT count(*) FROM sluice_migrations) AS migrations,
           (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(current_schema())) AS relations,
           current_user AS role, current_setting('search_path') AS path, current_setting('transaction_read_only') AS ro,
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND
             database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS locks`
      )
      .pipe(Effect.map(([row]) => row))
    return { database, state }
  })

  const refusalOf = (database: Database, sql: string) =>
    Postgres.query(database, sql).pipe(
      Effect.flip,
      Effect.map(({ reason }) => reason.detail),
      Effect.catch(() => Effect.succeed("it was run"))
    )

  describe(`${name}: query`, () => {
    it.effect("runs no command but those that read", () =>
      Effect.gen(function* () {
        const { database, state } = yield* open
        const before = yield* state
        assert.deepInclude(before, { mine: "[1]", migrations: migrations.length })
        for (const [sql, says] of commands) assert.match(yield* refusalOf(database, sql), says, sql.slice(0, 200))
        assert.deepStrictEqual(yield* state, before)
      })
    )

    it.effect("calls nothing that has effects, wherever it is and however it is written", () =>
      Effect.gen(function* () {
        const { database, state } = yield* open
        const before = yield* state
        const tried = new Set<string>()
        for (const [at, [call, called]] of calls.entries())
          for (const [where, put] of places.entries()) {
            const sql = put(spellings[(at + where) % spellings.length]!(call, called))
            tried.add(sql)
            const said = yield* refusalOf(database, sql)
            assert.strictEqual(said, `${called} may change something: Postgres has it as volatile`, sql)
          }
        assert.strictEqual(tried.size, calls.length * places.length)
        // Behind a dot, a function of one argument is called as well; and an operator is one.
        for (const [sql, called] of [
          ["SELECT ('PG_VERSION'::text).pg_read_file", "pg_read_file"],
          ["SELECT (f).pg_read_file FROM (SELECT 'PG_VERSION'::text) AS s(f)", "pg_read_file"],
          ["SELECT mine.behind FROM mine", "behind"],
          ["SELECT (mine).behind FROM mine", "behind"],
          ["SELECT ### 1", "###"]
        ] as const)
          assert.strictEqual(
            yield* refusalOf(database, sql),
            `${called} may change something: Postgres has it as volatile`,
            sql
          )
        assert.deepStrictEqual(yield* state, before)
      })
    )

    it.effect("has no rights to files and programs, should a statement ever come through", () =>
      Effect.gen(function* () {
        const { database } = yield* open
        const [row] = yield* Postgres.query(
          database,
          `SELECT has_function_privilege('pg_read_file(text)', 'EXECUTE') AS files, current_setting('transaction_read_only') AS ro,
             has_table_privilege('mine', 'SELECT') AS reads, has_table_privilege('mine', 'INSERT') AS writes`
        )
        assert.deepStrictEqual(row, { files: false, ro: "on", reads: true, writes: false })
      })
    )

    it.effect("answers what analysts ask", () =>
      Effect.gen(function* () {
        const { database, state } = yield* open
        const before = yield* state
        for (const sql of questions) {
          const rows = yield* Postgres.query(database, sql)
          const read = yield* Postgres.readRows(database, sql, {}, () => Effect.void)
          assert.strictEqual(read.rows, rows.length, sql)
        }
        assert.deepStrictEqual(yield* state, before)
      })
    )

    it.effect("gives many rows away in batches that are small, whether rows are many or heavy", () =>
      Effect.gen(function* () {
        const { database } = yield* open
        const batchesOf = Effect.fnUntraced(function* (sql: string) {
          const batches: Array<{ readonly rows: number; readonly characters: number }> = []
          const read = yield* Postgres.readRows(database, sql, {}, ({ columns, rows }) =>
            Effect.sync(() => {
              assert.deepStrictEqual(
                columns.map(({ name }) => name),
                ["a", "a"]
              )
              const characters = rows.reduce((sum, row) => sum + String(row[1]).length, 0)
              batches.push({ rows: rows.length, characters })
            })
          )
          assert.strictEqual(
            batches.reduce((sum, { rows }) => sum + rows, 0),
            read.rows
          )
          return batches
        })
        const many = yield* batchesOf("SELECT n AS a, 'x' AS a FROM generate_series(1, 20000) n")
        assert.isAtMost(Math.max(...many.map(({ rows }) => rows)), 1_000)
        assert.isBelow(many.length, 40)
        const heavy = yield* batchesOf("SELECT n AS a, repeat('x', 1048576) AS a FROM generate_series(1, 40) n;")
        assert.isAtMost(Math.max(...heavy.slice(1).map(({ characters }) => characters)), 4 * 1024 * 1024)
        assert.deepStrictEqual(yield* batchesOf("SELECT 1 AS a, 2 AS a WHERE false -- none"), [
          { rows: 0, characters: 0 }
        ])
      })
    )

    it.effect("counts the rows that a statement writes, and writes none where they are not taken", () =>
      Effect.gen(function* () {
        const { database, state } = yield* open
        const before = yield* state
        const write = (sql: string, take: Effect.Effect<void, string> = Effect.void) =>
          Postgres.readRows(database, sql, { readOnly: false }, () => take)
        const failure = yield* Effect.flip(write("UPDATE mine SET n = n + 1 RETURNING n", Effect.fail("full")))
        assert.strictEqual(failure, "full")
        assert.deepStrictEqual(yield* state, before)
        assert.deepStrictEqual(yield* write("INSERT INTO mine VALUES (7), (8)"), { rows: 0, affected: 2 })
        assert.deepStrictEqual(yield* write("DELETE FROM mine WHERE n > 6 RETURNING n"), { rows: 2, affected: null })
      })
    )

    it.effect("says where in the user's own statement an error is", () =>
      Effect.gen(function* () {
        const { database } = yield* open
        for (const [sql, position] of [
          ["SELECT n, absent FROM mine", 11],
          ["SELECT 1 FORM x y", 15],
          ["EXPLAIN SELECT absent FROM mine", 16]
        ] as const) {
          const error = yield* Effect.flip(Postgres.readRows(database, sql, {}, () => Effect.void))
          assert.deepInclude(error.reason, { position }, sql)
        }
      })
    )
  })
}
