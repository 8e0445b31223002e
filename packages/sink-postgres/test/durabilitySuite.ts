import { assert, describe, it } from "@effect/vitest"
import { makeLedgerMemory } from "@sluice/core"
import { sampleRecord, startRun } from "@sluice/testkit"
import { Effect } from "effect"
import type { PostgresSinkOptions } from "../src/index.ts"
import { type Place, sinkIn } from "./databases.ts"

/** Notes the setting in force as rows are committed. */
const spy = `
CREATE TABLE noted (setting text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO noted VALUES (current_setting('synchronous_commit'));
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER note AFTER INSERT ON pages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()`

/** Which segments the server may answer before they are on disk. */
export const durabilitySuite = (name: string, place: Effect.Effect<Place>): void => {
  const settingOf = Effect.fnUntraced(function* (options: PostgresSinkOptions, isElsewhere: boolean) {
    const { database, sink } = yield* sinkIn(yield* place, "merge", options)
    const connection = yield* sink.connect
    yield* database.transaction((tx) => tx.execute(spy))
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
  })
}
