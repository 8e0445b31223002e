import { assert, layer } from "@effect/vitest"
import { Crawl } from "@sluice/core"
import { samplePages } from "@sluice/core/sink"
import { createDatabase, postgresServer, sampleRecord, startRun } from "@sluice/testkit"
import { Context, Effect, Layer, Logger } from "effect"
import { type Database, type LoadMode, Postgres } from "../src/index.ts"
import { freshSchema } from "./databases.ts"

class Url extends Context.Service<Url, string>()("@sluice/sink-postgres/test/TouchedTables") {
  static readonly layer = Layer.effect(this, Effect.flatMap(postgresServer, createDatabase))
}

const planned = { pipeline: "docs", samples: samplePages(Crawl.make({ url: "https://docs.example/start" })) }

/** A sink over tables that somebody has touched. */
const touched = Effect.fnUntraced(function* (mode: LoadMode, touch: string) {
  const url = yield* Url
  const schema = freshSchema()
  const database = yield* Postgres.open({ url, schema })
  yield* Postgres.migrate(database)
  yield* database.transaction((tx) => tx.execute(touch))
  const sink = Postgres.sink({ url, schema, mode })
  const connection = yield* sink.connect
  return {
    database,
    sink,
    connection,
    dryLoad: connection.dryLoad!(planned),
    dryRun: connection.ledger!.dryRun!("docs")
  }
})

const everyRow = Effect.fnUntraced(function* (database: Database) {
  const tables = yield* database.query(
    "SELECT relname FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relkind = 'r' AND relname <> 'sluice_migrations'",
    [database.schema]
  )
  const counts = yield* Effect.forEach(tables, ({ relname }) => database.query(`SELECT count(*) FROM "${relname}"`))
  return counts.reduce((sum, [row]) => sum + Number(row?.count), 0)
})

const raise = (table: string, when: string, words: string) => `
  CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '${words}' USING HINT = 'Ask Dana.'; END $$;
  CREATE TRIGGER guard ${when} ON ${table} EXECUTE FUNCTION guard()`

/** What somebody does to a table, and what is said before anything is paid. */
const refusedTouches: ReadonlyArray<
  readonly [name: string, modes: ReadonlyArray<LoadMode>, touch: string, says: RegExp]
> = [
  [
    "a constraint",
    ["append", "merge", "replace", "history"],
    "ALTER TABLE pages ADD CONSTRAINT short CHECK (length(url) < 5)",
    /no page of this pipeline would be taken: new row for relation "pages" violates check constraint "short"/
  ],
  [
    "a constraint on another table",
    ["replace"],
    "ALTER TABLE page_metadata ADD CONSTRAINT none CHECK (false)",
    /relation "page_metadata" violates check constraint "none"/
  ],
  [
    "a constraint on URLs of elsewhere",
    ["merge"],
    "ALTER TABLE pages ADD CONSTRAINT ours CHECK (url LIKE 'https://shop.example/%')",
    /violates check constraint "ours"/
  ],
  [
    "a constraint on text that is not asked for",
    ["merge"],
    "ALTER TABLE pages ADD CONSTRAINT whole CHECK (html IS NOT NULL AND length(markdown) > 10)",
    /violates check constraint "whole"/
  ],
  [
    "a constraint that no text meets",
    ["replace"],
    "ALTER TABLE pages ADD CONSTRAINT tiny CHECK (length(markdown) < 5 OR status = 'gone')",
    /violates check constraint "tiny"/
  ],
  [
    "a column that must not be null",
    ["merge"],
    "ALTER TABLE pages ADD team text NOT NULL",
    /the column "team" of the table "pages" is not Sluice's, must not be null and has no default/
  ],
  [
    "a column of ours that must not be null",
    ["append"],
    "ALTER TABLE pages ALTER html SET NOT NULL",
    /null value in column "html" of relation "pages" violates not-null constraint/
  ],
  [
    "a trigger that raises",
    ["append", "merge", "replace", "history"],
    raise("pages", "BEFORE INSERT", "Closed for the audit.").replace("EXECUTE", "FOR EACH ROW EXECUTE"),
    /the function guard said: Closed for the audit\. \(hint: Ask Dana\.\)/
  ],
  [
    "a trigger that raises once a statement",
    ["replace"],
    raise("links", "BEFORE INSERT", "No links today."),
    /the function guard said: No links today\. \(hint: Ask Dana\.\)/
  ],
  [
    "a trigger that refuses changes",
    ["append", "merge", "replace", "history"],
    raise("pages", "BEFORE UPDATE", "Pages are never changed.").replace("EXECUTE", "FOR EACH ROW EXECUTE"),
    /the function guard said: Pages are never changed\./
  ],
  [
    "a trigger that refuses removals",
    ["replace", "history"],
    raise("pages", "BEFORE DELETE", "Pages are never removed.").replace("EXECUTE", "FOR EACH ROW EXECUTE"),
    /the function guard said: Pages are never removed\./
  ],
  [
    "a rule",
    ["append", "merge", "replace", "history"],
    "CREATE RULE quiet AS ON INSERT TO pages DO INSTEAD NOTHING",
    /cannot execute MERGE on relation "pages".*rules/
  ],
  [
    "a constraint on the dead letters",
    ["merge"],
    "ALTER TABLE dead_letters ADD CONSTRAINT no_letters CHECK (false)",
    /a record that is refused could not be kept in the table "dead_letters": .*constraint "no_letters"/
  ],
  [
    "a rule that drops dead letters",
    ["merge"],
    "CREATE RULE quiet AS ON INSERT TO dead_letters DO INSTEAD NOTHING",
    /drops the rows that Sluice writes to the table "dead_letters"/
  ],
  [
    "a constraint on what history keeps",
    ["history"],
    "ALTER TABLE page_history ADD CONSTRAINT no_past CHECK (false)",
    /relation "page_history" violates check constraint "no_past"/
  ],
  [
    "a renamed column",
    ["append", "merge", "replace", "history"],
    "ALTER TABLE pages RENAME markdown TO content",
    /the column "markdown" of the table "pages" is missing; was it renamed to "content"\?/
  ],
  [
    "a dropped column",
    ["merge"],
    "ALTER TABLE links DROP url CASCADE",
    /the column "url" of the table "links" is missing/
  ],
  [
    "a changed type",
    ["merge"],
    "DROP VIEW current_page_metadata, broken_links CASCADE; DROP VIEW IF EXISTS page_versions CASCADE; ALTER TABLE page_metadata ALTER http_status TYPE bigint",
    /the column "http_status" of the table "page_metadata" is of the type bigint and has to be integer/
  ],
  [
    "a generated column",
    ["append"],
    "ALTER TABLE pages DROP html CASCADE, ADD html text GENERATED ALWAYS AS (upper(url)) STORED",
    /the column "html" of the table "pages" is generated/
  ],
  [
    "a dropped primary key",
    ["append", "merge", "replace", "history"],
    "ALTER TABLE pages DROP CONSTRAINT pages_pkey",
    /the table "pages" has no primary key or unique constraint on \(set_no, page_key\)/
  ],
  ["a dropped table", ["append"], "DROP TABLE missing_pages", /the table "missing_pages" is missing/],
  [
    "a missing replica identity",
    ["merge", "replace"],
    "ALTER TABLE pages REPLICA IDENTITY NOTHING; CREATE PUBLICATION SCHEMA_pages FOR TABLE pages",
    /cannot update table "pages" because it does not have a replica identity.*hint: To enable updating the table/
  ]
]

layer(Url.layer, { timeout: 300_000 })("tables that people have touched", (it) => {
  for (const [name, modes, touch, says] of refusedTouches) {
    it.effect(`${name}: refused before anything is paid`, () =>
      Effect.gen(function* () {
        // All modes in a soak: each prepares a schema of its own.
        for (const mode of process.env.SLUICE_LONG_TESTS === undefined ? modes.slice(-2) : modes) {
          const { database, dryLoad } = yield* touched(mode, touch.replaceAll("SCHEMA", freshSchema()))
          const failure = yield* Effect.flip(dryLoad)
          assert.match(failure.message, says, mode)
          assert.notInclude(failure.message, "sluice_stage")
          assert.strictEqual(failure.reason._tag, "SinkFailed")
          assert.strictEqual(yield* everyRow(database), 0)
        }
      })
    )
  }

  it.effect("without a touch: nothing is said, and nothing is left", () =>
    Effect.gen(function* () {
      for (const mode of ["append", "merge", "replace", "history"] as const) {
        const { connection, database, dryLoad, dryRun, sink } = yield* touched(mode, "SELECT")
        yield* dryLoad
        yield* dryRun
        assert.strictEqual(yield* everyRow(database), 0)
        // Beside a run that is loaded, and over pages that are there.
        const { write } = yield* startRun(sink, connection)
        yield* write(0, [sampleRecord("https://docs.example/start")])
        const before = yield* everyRow(database)
        yield* dryLoad
        assert.strictEqual(yield* everyRow(database), before)
      }
    })
  )

  const acceptedTouches: ReadonlyArray<readonly [name: string, touch: string]> = [
    ["a constraint that real pages meet", "ALTER TABLE pages ADD CHECK (url LIKE 'https://docs.example/%')"],
    ["a constraint that one sample meets", "ALTER TABLE pages ADD CHECK (url = 'https://docs.example/start')"],
    ["a unique URL", "CREATE UNIQUE INDEX ON pages (url)"],
    ["a column with a default", "ALTER TABLE pages ADD team text NOT NULL DEFAULT 'web'"],
    ["another kind of text", "ALTER TABLE dead_letters ALTER raw TYPE varchar"],
    ["an unlogged table", "ALTER TABLE links SET UNLOGGED"],
    ["a dropped index", "DROP INDEX pages_url_idx"],
    ["a renamed key", "ALTER TABLE pages RENAME CONSTRAINT pages_pkey TO pages_key"],
    [
      "a key that is an index",
      "ALTER TABLE links DROP CONSTRAINT links_pkey; CREATE UNIQUE INDEX ON links (page_key, position, set_no)"
    ],
    [
      "a table partitioned by a DBA",
      `ALTER TABLE links RENAME TO links_old; CREATE TABLE links (LIKE links_old INCLUDING ALL) PARTITION BY HASH (set_no);
       CREATE TABLE links_0 PARTITION OF links FOR VALUES WITH (MODULUS 1, REMAINDER 0)`
    ]
  ]
  /** What refuses both made-up pages, and may take those of the run. */
  const doubtfulTouches: ReadonlyArray<readonly [name: string, touch: string]> = [
    [
      "a path of its URLs",
      "ALTER TABLE pages ADD CHECK (url LIKE 'https://docs.example/products/%' OR url LIKE '%/p/_')"
    ],
    ["a pattern of its URLs", "ALTER TABLE pages ADD CHECK (url ~ '/p/[0-9]+$')"],
    ["what its pages say", "ALTER TABLE pages ADD CHECK (markdown LIKE '%price%' AND lower(markdown) LIKE '%eur%')"],
    ["how long its pages are", "ALTER TABLE pages ADD CHECK (length(markdown) > 4000)"],
    ["how pages are fetched", "ALTER TABLE page_metadata ADD CHECK (duration_ms > 500 AND http_status < 300)"],
    ["links to elsewhere", "ALTER TABLE links ADD CHECK (url LIKE 'https://elsewhere.example/%')"],
    [
      "what a function says",
      "CREATE FUNCTION fits(text) RETURNS bool IMMUTABLE LANGUAGE sql AS $$ SELECT $1 = 'x' $$; ALTER TABLE pages ADD CHECK (fits(markdown))"
    ],
    [
      "a list of URLs",
      "CREATE TABLE wanted (url text PRIMARY KEY); ALTER TABLE pages ADD FOREIGN KEY (url) REFERENCES wanted"
    ],
    [
      "what a trigger reads",
      raise("pages", "BEFORE INSERT", "No.")
        .replace("EXECUTE", "FOR EACH ROW EXECUTE")
        .replace("BEGIN", "BEGIN IF NEW.url LIKE '%/p/%' THEN RETURN NEW; END IF;")
    ]
  ]
  for (const [name, touch] of doubtfulTouches) {
    it.effect(`a condition on ${name}: is a warning`, () =>
      Effect.gen(function* () {
        const warnings: Array<string> = []
        const logger = Logger.make(({ message }) => void warnings.push(String(message)))
        const { database, dryLoad } = yield* touched("merge", touch)
        yield* dryLoad.pipe(Effect.provide(Logger.layer([logger])))
        assert.lengthOf(warnings, 1)
        assert.match(warnings[0]!, /made-up pages of the dry load are refused, and pages of the run may be/)
        assert.strictEqual(yield* everyRow(database), 0)
      })
    )
  }

  for (const [name, touch] of acceptedTouches) {
    it.effect(`${name}: is no reason to refuse`, () =>
      Effect.gen(function* () {
        for (const mode of ["merge", "replace"] as const) {
          const { database, dryLoad } = yield* touched(mode, touch)
          yield* dryLoad
          assert.strictEqual(yield* everyRow(database), 0)
        }
      })
    )
  }

  it.effect(
    "row level security that applies to the role: refused before anything is paid, and nothing is read past it",
    () =>
      Effect.gen(function* () {
        const role = `loader_${crypto.randomUUID().slice(0, 8).replaceAll("-", "")}`
        const url = yield* Url
        const administrator = yield* Postgres.open({ url })
        yield* Effect.acquireRelease(administrator.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`), () =>
          Effect.orDie(
            administrator.transaction((tx) => tx.execute(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`))
          )
        )
        const own = new URL(url)
        own.username = role
        own.password = "secret"
        const policies = [
          ["hides rows", "USING (false) WITH CHECK (true)"],
          ["refuses rows", "USING (true) WITH CHECK (false)"],
          ["lets all pass", "USING (true)"]
        ] as const
        const tables = ["pages", "links", "page_metadata", "dead_letters", "jobs", "runs", "segments", "submissions"]
        for (const [at, table] of tables.entries()) {
          const [name, policy] = policies[at % policies.length]!
          const { database } = yield* touched("merge", "SELECT")
          const schema = `"${database.schema}"`
          const isOwner = at % 2 === 0
          yield* database.transaction((tx) =>
            tx.execute(`GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role};
            GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role};
            ALTER TABLE ${table} ${isOwner ? "FORCE" : "ENABLE"} ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY;
            CREATE POLICY rows_of_some ON ${table} ${policy}; ${isOwner ? `GRANT CREATE ON SCHEMA ${schema} TO ${role}; ALTER TABLE ${table} OWNER TO ${role}` : ""}`)
          )
          const proof = Effect.gen(function* () {
            const connection = yield* Postgres.sink({ url: own.href, schema: database.schema, mode: "merge" }).connect
            yield* connection.ledger!.dryRun!("docs").pipe(
              Effect.mapError(({ reason }) =>
                reason._tag === "LedgerUnavailable" ? String(reason.cause) : reason._tag
              )
            )
            yield* connection.dryLoad!(planned).pipe(Effect.mapError(({ message }) => message))
          })
          const says = `row level security of the table "${table}" applies to this role`
          assert.include(String(yield* Effect.flip(proof)), says, `${table} ${name}`)
          // A reader sees what policies show it: its own statements are not Sluice's.
          const reader = yield* Postgres.open({ url: own.href, schema: database.schema })
          assert.deepStrictEqual(yield* Postgres.query(reader, `SELECT count(*)::int AS n FROM ${table}`), [{ n: 0 }])
          yield* administrator.query(`ALTER ROLE ${role} BYPASSRLS`)
          yield* proof
          yield* administrator.query(`ALTER ROLE ${role} NOBYPASSRLS`)
          assert.strictEqual(yield* everyRow(database), 0)
        }
      })
  )

  it.effect("the ledger's tables: refused before anything is paid", () =>
    Effect.gen(function* () {
      const touches = [
        [
          "ALTER TABLE segments ADD CONSTRAINT none CHECK (false)",
          /relation "segments" violates check constraint "none"/
        ],
        ["CREATE RULE quiet AS ON INSERT TO submissions DO INSTEAD NOTHING", /rule|submissions/],
        [raise("runs", "BEFORE UPDATE", "Runs are final.").replace("EXECUTE", "FOR EACH ROW EXECUTE"), /Runs are final/]
      ] as const
      for (const [touch, says] of touches) {
        const { database, dryRun } = yield* touched("merge", touch)
        const failure = yield* Effect.flip(dryRun)
        assert.strictEqual(failure.reason._tag, "LedgerUnavailable")
        assert.match(String(failure.reason._tag === "LedgerUnavailable" && failure.reason.cause), says)
        assert.strictEqual(yield* everyRow(database), 0)
      }
    })
  )

  it.effect("a BEFORE trigger that drops rows: they are not counted, and nothing of their pages is left", () =>
    Effect.gen(function* () {
      const drop = (table: string, condition: string) => `
        CREATE FUNCTION drop_some() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF ${condition} THEN RETURN NULL; END IF; RETURN NEW; END $$;
        CREATE TRIGGER drop_some BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION drop_some()`
      const records = Array.from({ length: 20 }, (_, at) => sampleRecord(`https://docs.example/${at}`))
      for (const mode of ["append", "merge", "replace", "history"] as const) {
        const pages = yield* touched(mode, drop("pages", "NEW.url LIKE '%/1_'"))
        yield* pages.dryLoad
        const run = yield* startRun(pages.sink, pages.connection)
        const counts = { rows: { pages: 10, links: 20, page_metadata: 10 }, deadLetters: 0 }
        assert.deepStrictEqual(yield* run.write(0, records), counts)
        // By way of the stage, since half of them are there by now.
        assert.deepStrictEqual(yield* run.write(1, records), counts)
        assert.deepStrictEqual(
          yield* pages.database.query(
            `SELECT (SELECT count(*) FROM pages) AS pages, (SELECT count(*) FROM links) AS links,
               (SELECT count(*) FROM page_metadata) AS metadata`
          ),
          [{ pages: 10, links: 20, metadata: 10 }]
        )
        const links = yield* touched(mode, drop("links", "NEW.position = 1"))
        const other = yield* startRun(links.sink, links.connection)
        for (const seq of [0, 1]) {
          assert.deepStrictEqual((yield* other.write(seq, records)).rows, { pages: 20, links: 20, page_metadata: 20 })
        }
        const metadata = yield* touched(mode, drop("page_metadata", "NEW.page_key % 2 = 0"))
        const third = yield* startRun(metadata.sink, metadata.connection)
        const even = records.filter(({ key }) => key % 2n === 0n).length
        for (const seq of [0, 1]) {
          const { rows } = yield* third.write(seq, records)
          assert.deepStrictEqual(rows, { pages: 20, links: 40, page_metadata: 20 - even })
        }
      }
    })
  )

  it.effect("a trigger that puts rows elsewhere under the table: they are there, and count", () =>
    Effect.gen(function* () {
      const { connection, database, sink } = yield* touched(
        "append",
        `CREATE TABLE pages_docs () INHERITS (pages);
         CREATE FUNCTION route() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           INSERT INTO pages_docs SELECT NEW.*; RETURN NULL; END $$;
         CREATE TRIGGER route BEFORE INSERT ON pages FOR EACH ROW EXECUTE FUNCTION route()`
      )
      const { write } = yield* startRun(sink, connection)
      const { rows } = yield* write(0, [sampleRecord("https://docs.example/1")])
      assert.deepStrictEqual(rows, { pages: 1, links: 2, page_metadata: 1 })
      assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM ONLY pages"), [{ count: 0 }])
    })
  )

  it.effect("a refusal that begins in the middle of a run: of the table fails it, of a row is a dead letter", () =>
    Effect.gen(function* () {
      const { connection, database, sink } = yield* touched("merge", "SELECT")
      const { write } = yield* startRun(sink, connection)
      yield* write(0, [sampleRecord("https://docs.example/0")])
      yield* database.transaction((tx) =>
        tx.execute(raise("pages", "BEFORE INSERT OR UPDATE", "Closed for the audit."))
      )
      const failure = yield* Effect.flip(write(1, [sampleRecord("https://docs.example/1")]))
      assert.include(failure.message, "the function guard said: Closed for the audit. (hint: Ask Dana.)")
      yield* database.transaction((tx) =>
        tx.execute(`DROP TRIGGER guard ON pages; CREATE OR REPLACE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.url LIKE '%/3' THEN RAISE EXCEPTION 'not wanted: %', NEW.url; END IF; RETURN NEW; END $$;
          CREATE TRIGGER guard BEFORE INSERT ON pages FOR EACH ROW EXECUTE FUNCTION guard()`)
      )
      const records = Array.from({ length: 6 }, (_, at) => sampleRecord(`https://docs.example/${at}`))
      const result = yield* write(2, records)
      assert.deepStrictEqual([result.rows.pages, result.deadLetters], [5, 1])
      const [deadLetter] = yield* database.query("SELECT url, detail FROM dead_letters")
      assert.strictEqual(deadLetter?.url, "https://docs.example/3")
      assert.strictEqual(
        deadLetter?.detail,
        "a trigger refused the row (the function guard said: not wanted) (SQLSTATE P0001)"
      )
    })
  )

  it.effect("an event trigger against temporary tables is no refused row", () =>
    Effect.gen(function* () {
      const { connection, database, dryLoad, sink } = yield* touched("merge", "SELECT")
      const { write } = yield* startRun(sink, connection)
      yield* write(0, [sampleRecord("https://docs.example/0")])
      yield* Effect.acquireUseRelease(
        database.transaction((tx) =>
          tx.execute(`CREATE FUNCTION no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'No DDL in production.' USING HINT = 'Open a ticket.'; END $$;
            CREATE EVENT TRIGGER no_ddl ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION no_ddl()`)
        ),
        () =>
          Effect.gen(function* () {
            const says =
              'the temporary table "sluice_stage", by way of which pages are merged, cannot be made: the function no_ddl said: No DDL in production. (hint: Open a ticket.)'
            assert.include((yield* Effect.flip(dryLoad)).message, says)
            const changed = write(1, [sampleRecord("https://docs.example/0", { markdown: "changed" })])
            assert.include((yield* Effect.flip(changed)).message, says)
            assert.deepStrictEqual(yield* database.query("SELECT count(*) FROM dead_letters"), [{ count: 0 }])
          }),
        () => Effect.orDie(database.transaction((tx) => tx.execute("DROP EVENT TRIGGER no_ddl")))
      )
    })
  )
})
