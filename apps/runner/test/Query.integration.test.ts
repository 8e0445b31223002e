import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { bundles } from "../../../test/setup/bundles.ts"
import { assertRefused, directory, filesIn, run, runJson } from "./Cli.ts"
import { dump, testDatabase } from "./TestDatabase.ts"

const pipeline = `name: quotes
source:
  crawl: { url: https://quotes.example/ }
sinks:
  - postgres: { url: $DATABASE_URL }
`

/** What a shell prints of a pipe of commands. */
const shell = (script: string, { cwd, env }: { readonly cwd: string; readonly env: Record<string, string> }) =>
  Effect.promise(async () => {
    const child = spawn("bash", ["--norc", "--noprofile", "-c", script], {
      cwd,
      env: { PATH: process.env.PATH, ...env }
    })
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.once("close", resolve))
    ])
    return { code, stdout, stderr }
  })

/** A working directory with a pipeline whose database is migrated. */
const setUp = Effect.gen(function* () {
  const database = yield* testDatabase()
  const cwd = yield* directory
  writeFileSync(join(cwd, "sluice.yaml"), pipeline)
  const options = { cwd, env: { DATABASE_URL: database.url } }
  const { code, stderr } = yield* run(["migrate"], options)
  assert.strictEqual(code, 0, stderr)
  return { database, options }
})

describe("query", () => {
  it.live(
    "prints data as they are, also where a secret of the pipeline is a word in them",
    () =>
      Effect.gen(function* () {
        const { options } = yield* setUp
        const { cwd, env } = options
        const bucket = "s3: { bucket: lake, region: eu-1, access_key_id: $KEY, secret_access_key: $SECRET }"
        writeFileSync(join(cwd, "sluice.yaml"), `${pipeline}  - ${bucket}\n`)
        const ordinary = { cwd, env: { ...env, KEY: "test", SECRET: "postgres" } }
        const rows = yield* runJson(["query", "--json", "SELECT 'a test of postgres' AS text"], ordinary)
        assert.deepStrictEqual(rows, [{ text: "a test of postgres" }])
        const { stdout } = yield* run(["query", "SELECT 'a test of postgres' AS text"], ordinary)
        assert.include(stdout, "a test of postgres")
      }),
    60_000
  )

  it.live(
    "prints one array of rows, every type as JSON can say it",
    () =>
      Effect.gen(function* () {
        const { options } = yield* setUp
        const rows = yield* runJson<ReadonlyArray<Record<string, unknown>>>(
          [
            "query",
            "--json",
            `SELECT 1 AS small, 9007199254740993::int8 AS big, 2.50::numeric AS exact, 'NaN'::float8 AS nan, true AS yes,
               NULL AS nothing, timestamptz '2026-01-02 03:04:05+02' AS instant, date '2026-01-02' AS day,
               '{"a": [1, null]}'::jsonb AS object, ARRAY['x', NULL] AS list, '\\x00ff'::bytea AS bytes, E'tab\\t"\\n' AS text
             UNION ALL SELECT 2, 1, 1, 1, false, 'a', NULL, NULL, 'null', '{}', '', ''
             ORDER BY 1`
          ],
          options
        )
        assert.deepStrictEqual(rows[0], {
          small: 1,
          big: "9007199254740993",
          exact: "2.50",
          nan: "NaN",
          yes: true,
          nothing: null,
          instant: "2026-01-02T01:04:05.000Z",
          day: "2026-01-02",
          object: { a: [1, null] },
          list: ["x", null],
          bytes: "\\x00ff",
          text: 'tab\t"\n'
        })
        assert.deepInclude(rows[1], { small: 2, big: 1, nan: 1, object: null, list: [] })
        assert.lengthOf(rows, 2)
        assert.deepStrictEqual(yield* runJson(["query", "--json", "SELECT url FROM pages"], options), [])
      }),
    120_000
  )

  it.live(
    "draws a table for people",
    () =>
      Effect.gen(function* () {
        const { options } = yield* setUp
        const sql = "SELECT n AS number, repeat('ab', n * 20) AS letters FROM generate_series(1, 2) n"
        const { code, stderr, stdout } = yield* run(["query", sql], options)
        assert.strictEqual(code, 0)
        assert.strictEqual(stderr, "")
        assert.deepStrictEqual(stdout.split("\n"), [
          "number  letters",
          `------  ${"-".repeat(80)}`,
          `1       ${"ab".repeat(20)}`,
          `2       ${"ab".repeat(40)}`,
          ""
        ])
        assert.strictEqual((yield* run(["query", "SELECT 1 WHERE false"], options)).stdout, "(no rows)\n")
      }),
    120_000
  )

  it.live(
    "prints every format into a pipe, whole, in memory that does not grow with the rows, and ends when its reader does",
    () =>
      Effect.gen(function* () {
        const { database, options } = yield* setUp
        const two = "SELECT 'a,b' AS t, NULL::int AS n UNION ALL SELECT '日本', 2 ORDER BY t"
        const formats = {
          csv: 't,n\r\n"a,b",\r\n日本,2\r\n',
          jsonl: '{"t":"a,b","n":null}\n{"t":"日本","n":2}\n',
          json: '[{"t":"a,b","n":null},{"t":"日本","n":2}]\n',
          markdown: "| t | n |\n| --- | --- |\n| a,b |  |\n| 日本 | 2 |\n"
        }
        for (const [format, printed] of Object.entries(formats)) {
          const { code, stderr, stdout } = yield* run(["query", "--format", format, two], options)
          assert.deepStrictEqual({ code, stderr, stdout }, { code: 0, stderr: "", stdout: printed })
        }
        assertRefused(
          yield* run(["query", "--json", "--format", "csv", two], options),
          2,
          "--json and --format csv exclude each other: give one of them"
        )
        // The old name of --file.
        assert.strictEqual((yield* run(["query", "--pipeline", "sluice.yaml", "SELECT 1"], options)).code, 0)

        // 150 MB of rows, by a process that may have 96 MB of heap, into a reader that takes the first of them.
        const heavy = "SELECT repeat('x', 100000) AS t FROM generate_series(1, 1500)"
        const sluice = `"${process.execPath}" --max-old-space-size=96 "${bundles.sluice.file}" query --format csv "${heavy}"`
        const counted = yield* shell(`${sluice} | wc -c; exit "\${PIPESTATUS[0]}"`, options)
        assert.deepStrictEqual(counted, { code: 0, stdout: `${1500 * 100_002 + 3}\n`, stderr: "" })
        const headed = yield* shell(`${sluice} | head -c 5; exit "\${PIPESTATUS[0]}"`, options)
        assert.deepStrictEqual(headed, { code: 0, stdout: "t\r\nxx", stderr: "" })

        yield* database.rows("CREATE TABLE mine AS SELECT 1 AS n")
        yield* database.rows(`ALTER TABLE mine OWNER TO ${new URL(database.url).username}`)
        const insert = ["query", "--write", "INSERT INTO mine VALUES (2), (3)"]
        assert.strictEqual((yield* run(insert, options)).stdout, "2 rows affected\n")
        const counts = yield* run([...insert, "--json"], options)
        assert.deepStrictEqual([counts.stdout, counts.stderr], ["[]\n", "2 rows affected\n"])
      }),
    240_000
  )

  it.live(
    "changes nothing unless it is told that it may",
    () =>
      Effect.gen(function* () {
        const { database, options } = yield* setUp
        yield* database.rows("CREATE TABLE mine AS SELECT 1 AS n")
        yield* database.rows(`ALTER TABLE mine OWNER TO ${new URL(database.url).username}`)
        const before = yield* dump(database)
        const only = "only one statement at a time is run: remove what follows the first ;"
        const readOnly = (what: string) =>
          `the statement was refused: ${what} may change something; only SELECT, VALUES, TABLE and SHOW, and EXPLAIN of these, are run read-only; pass --write to let it change data`
        const statements: ReadonlyArray<readonly [string, string]> = [
          ["INSERT INTO mine VALUES (2)", readOnly("INSERT")],
          ["DROP TABLE mine", readOnly("DROP TABLE")],
          ["COPY mine TO PROGRAM 'cat'", readOnly("COPY")],
          ["COMMIT; DROP TABLE mine", only],
          ["SELECT 1; DELETE FROM mine", only],
          [
            "SELECT set_config('transaction_read_only', 'off', false)",
            "the statement was refused: set_config may change something: Postgres has it as volatile; pass --write to let it change data"
          ]
        ]
        for (const [sql, says] of statements) assertRefused(yield* run(["query", sql], options), 2, says)
        assert.deepStrictEqual(yield* dump(database), before)

        const written = yield* runJson(
          ["query", "--write", "--json", "INSERT INTO mine VALUES (2) RETURNING n"],
          options
        )
        assert.deepStrictEqual(written, [{ n: 2 }])
        assert.deepStrictEqual(yield* database.rows("SELECT n FROM mine ORDER BY n"), [{ n: 1 }, { n: 2 }])
      }),
    120_000
  )

  it.live(
    "is cancelled after --statement-timeout, by a server and by the embedded database, which is whole after it",
    () =>
      Effect.gen(function* () {
        const { options } = yield* setUp
        const endless = "SELECT count(*) FROM generate_series(1, 1000000000000)"
        const tooLong =
          /^sluice: the statement took longer than .* and was cancelled; raise --statement-timeout or ask for less$/
        assertRefused(yield* run(["query", "--statement-timeout", "50ms", endless], options), 1, tooLong)
        const wrong = 'sluice: --statement-timeout is a time such as 500ms, 30s, 5min or 1h, and not "soon"\n'
        const refused = yield* run(["query", "--statement-timeout", "soon", "SELECT 1"], options)
        assert.deepInclude(refused, { code: 2, stderr: wrong })

        // The command starts its own program once more, so it has to be its process's own.
        const embedded = { cwd: yield* directory, alone: true }
        assert.strictEqual((yield* run(["migrate"], embedded)).code, 0)
        assertRefused(yield* run(["query", "--statement-timeout", "3s", endless], embedded), 1, tooLong)
        const args = ["query", "--json", "--statement-timeout", "1h"]
        assert.deepStrictEqual(yield* runJson([...args, "SELECT -1 AS n"], embedded), [{ n: -1 }])
        assertRefused(
          yield* run(["query", "--statement-timeout", "1h", "COPY pages TO '/tmp/sluice-stolen'"], embedded),
          2,
          /^sluice: the statement was refused: COPY may change something; .*; pass --write to let it change data$/
        )
      }),
    240_000
  )

  it.live(
    "says what is wrong with a statement, or that there is nothing to ask",
    () =>
      Effect.gen(function* () {
        const { options } = yield* setUp
        assertRefused(
          yield* run(["query", "SELEC 1"], options),
          2,
          /^sluice: the statement was refused: syntax error at or near "/
        )
        assertRefused(
          yield* run(["query", "SELECT * FROM absent"], options),
          2,
          /^sluice: the statement was refused: relation "absent" does not exist \(line 1, column 15\)$/
        )
        assertRefused(
          yield* run(["query", "SELECT '日本',\n  urll FROM pages"], options),
          2,
          'the statement was refused: column "urll" does not exist (hint: Perhaps you meant to reference the column "pages.url".) (line 2, column 3)'
        )
        assertRefused(
          yield* run(["query", "SELECT '日本' FORM pages x"], options),
          2,
          'the statement was refused: syntax error at or near "pages" (line 1, column 18)'
        )
        assertRefused(
          yield* run(["query", "SELECT 'Paris'::int"], options),
          2,
          'the statement was refused: invalid input syntax for type integer: "Paris"'
        )
        const empty = yield* directory
        assertRefused(
          yield* run(["query", "SELECT 1"], { cwd: empty }),
          2,
          "there is no embedded database in ./.sluice/postgres: run a pipeline here first"
        )
        assert.deepStrictEqual(filesIn(empty), [])
      }),
    120_000
  )
})

describe("migrate", () => {
  it.live(
    "prepares once, also when two processes begin together, and changes nothing after that",
    () =>
      Effect.gen(function* () {
        const database = yield* testDatabase()
        const cwd = yield* directory
        writeFileSync(join(cwd, "sluice.yaml"), pipeline)
        const options = { cwd, env: { DATABASE_URL: database.url } }
        const both = yield* Effect.all([run(["migrate"], options), run(["migrate"], options)], { concurrency: 2 })
        for (const { code, stderr } of both) {
          assert.strictEqual(stderr, "")
          assert.strictEqual(code, 0)
        }
        const applied = yield* database.rows<{ id: string }>("SELECT id FROM sluice_migrations ORDER BY id")
        const told = both.flatMap(({ stdout }) => /: applied (.*)\n/.exec(stdout)?.[1]?.split(", ") ?? [])
        assert.deepStrictEqual(
          told.sort(),
          applied.map(({ id }) => id)
        )
        const before = yield* dump(database)
        assert.isAbove(before.length, 5)
        assert.strictEqual((yield* run(["migrate"], options)).stdout, 'schema "public" is up to date\n')
        assert.deepStrictEqual(yield* dump(database), before)
        assert.strictEqual((yield* run(["runs"], options)).stdout, "no runs yet\n")
        assert.deepStrictEqual(yield* runJson(["runs", "--json"], options), [])
      }),
    120_000
  )
})
