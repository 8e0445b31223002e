import { assert, describe, it } from "@effect/vitest"
import { Postgres } from "@sluice/sink-postgres"
import { createDatabase, type OwnPostgres, ownPostgres } from "@sluice/testkit"
import { Effect } from "effect"
import { tornIn } from "./Books.ts"
import { receiptOf } from "./Life.ts"
import { mountRefusal, type SmallDisk, smallDisk } from "./smallDisk.ts"
import { workOf } from "./Work.ts"
import { isHalfWay, openWorkplace } from "./Workplace.ts"

const refusal = mountRefusal()
if (refusal !== undefined) process.stderr.write(`skipped, as no small disk can be mounted: ${refusal}\n`)

/** Nothing of the server's own accord takes room or gives it back, and after a crash it stays down until it is started. */
const settings = ["autovacuum=off", "checkpoint_timeout=1h", "restart_after_crash=off"]
const smallLog = ["--wal-segsize=1"]

/** Writes on in the server's log until no file of it is left that was made ahead: what is written next takes room. */
const useUpLog = Effect.fnUntraced(function* (url: string) {
  const database = yield* Postgres.open({ url })
  yield* database.query(`DO $$ BEGIN
    WHILE (SELECT max(name) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$')
      > pg_walfile_name(pg_current_wal_insert_lsn())
    LOOP
      PERFORM pg_logical_emit_message(false, 'sluice', '-');
      PERFORM pg_switch_wal();
    END LOOP;
  END $$`)
}, Effect.scoped)

/** The disk is full from when half of a run's pages stand until its process has ended. */
const filledUp = Effect.fnUntraced(function* (
  server: OwnPostgres,
  disk: SmallDisk,
  pages: number,
  recovery: Effect.Effect<void>
) {
  const url = yield* createDatabase(server)
  yield* useUpLog(url)
  const work = workOf("crawl", 2, { pages, perPoll: 15, bodyBytes: 1800 })
  const workplace = yield* openWorkplace({ work, url, pipeline: "disk-full", heldAfter: 15 })
  const life = yield* workplace.begin()
  const before = yield* workplace.until(isHalfWay(work))
  yield* disk.fill
  yield* workplace.letGo
  const end = yield* life.end
  yield* disk.free
  yield* recovery
  const left = yield* workplace.books
  assert.deepStrictEqual(tornIn(left), [])
  assert.isAtLeast(left.pages.length, before.pages.length)
  assert.isBelow(left.pages.length, work.pages.length)
  assert.isFalse(left.runs[0]!.is_over)
  const further = yield* workplace.finish()
  assert.deepStrictEqual((yield* workplace.finding).wrong, [], further.at(-1)?.stdout)
  assert.strictEqual(workplace.simulator.charges.received("POST"), 1)
  return yield* receiptOf(end)
}, Effect.scoped)

describe.skipIf(refusal !== undefined)("a Postgres server whose disk is full", () => {
  it.live("of rows: the run says so, nothing is half landed, and it is gone on with when there is room", () =>
    Effect.gen(function* () {
      const disk = yield* smallDisk(128)
      const elsewhere = yield* smallDisk(256)
      const server = yield* ownPostgres({
        directory: disk.directory,
        settings,
        initdbFlags: [...smallLog, `--waldir=${elsewhere.directory}/log`]
      })
      const said = yield* filledUp(server, disk, 300, Effect.void)
      assert.deepInclude(said, { status: "failed", reason: `sink "postgres": the server's disk is full` })
    })
  )

  // The log's files are of a megabyte each, and the rows have to need the next one.
  it.live("of its log, which crashes it: the run ends resumable", () =>
    Effect.gen(function* () {
      const disk = yield* smallDisk(48)
      const elsewhere = yield* smallDisk(256)
      const server = yield* ownPostgres({
        directory: elsewhere.directory,
        settings: [...settings, "min_wal_size=2MB", "max_wal_size=1GB"],
        initdbFlags: [...smallLog, `--waldir=${disk.directory}/log`]
      })
      const said = yield* filledUp(server, disk, 900, Effect.andThen(server.halt("immediate"), server.start))
      assert.strictEqual(said.status, "failed")
      // Whoever meets the end of the disk is told; other connections only break.
      assert.match(said.reason ?? "", /disk is full|(cannot|could not) be reached/)
    })
  )
})
