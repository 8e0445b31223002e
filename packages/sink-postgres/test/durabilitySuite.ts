import { assert, describe, it } from "@effect/vitest"
import { makeLedgerMemory } from "@sluice/core"
import { sampleRecord, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import { type Database, Postgres, type PostgresSinkOptions } from "../src/index.ts"
import { type Place, sinkIn } from "./databases.ts"

/** Notes the setting in force as rows of a table are committed. */
const spyOn = (table: string) => `
CREATE TABLE noted (setting text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO noted VALUES (current_setting('synchronous_commit'));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER note AFTER INSERT ON ${table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()`

/** Which segments the server may answer before they are on disk. */
export const durabilitySuite = (name: string, place: Effect.Effect<Place>): void => {
  const settingOf = Effect.fnUntraced(function* (options: PostgresSinkOptions, isElsewhere: boolean) {
    const { database, sink } = yield* sinkIn(yield* place, "merge", options)
    const connection = yield* sink.connect
    yield* database.transaction((tx) => tx.execute(spyOn("pages")))
    const { write } = yield* startRun(sink, connection, isElsewhere ? { ledger: makeLedgerMemory() } : {})
    yield* write(0, [sampleRecord("https://a.example/")])
    return (yield* database.query("SELECT setting FROM noted")).map(({ setting }) => setting)
  })

  describe(`${name}: durability`, () => {
    it.effect("is the server's own, unless a segment may be read again", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* settingOf({}, false), ["on"])
        assert.deepStrictEqual(yield* settingOf({ synchronous_commit: "off" }, false), ["off"])
        assert.deepStrictEqual(yield* settingOf({ synchronous_commit: "off" }, true), ["on"])
      })
    )

    it.effect("is that of a submission, whatever a role or a database is set to", () =>
      Effect.gen(function* () {
        const { database } = yield* sinkIn(yield* place, "merge")
        yield* Postgres.migrate(database)
        yield* database.transaction((tx) => tx.execute(spyOn("submissions")))
        // As a role would have it: off in every transaction, unless somebody says otherwise.
        const careless: Database = {
          ...database,
          transaction: (use) =>
            database.transaction((tx) => Effect.andThen(tx.execute("SET LOCAL synchronous_commit TO off"), use(tx)))
        }
        const ledger = Postgres.ledger(careless)
        const run = yield* ledger.begin(
          { pipeline: "p", configHash: "h", startedAt: 0 },
          { holder: "host/1/test", durationMs: 1000 }
        )
        const submission = { ordinal: 0, kind: "crawl", url: "u", requestHash: "h", submittedAt: 0, tokens: 1 } as const
        yield* ledger.recordIntent(run, submission)
        assert.deepStrictEqual(yield* database.query("SELECT setting FROM noted"), [{ setting: "on" }])
      })
    )
  })
}
