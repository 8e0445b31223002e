/** A guard switched off, and the test that notices. */
export interface Mutant {
  readonly name: string
  /** The source file, from the repository's root. */
  readonly file: string
  /** Text that occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** The file of the test, from the repository's root, and words of its name. */
  readonly test: string
  readonly named: string
  /** The file that names the test, where a suite does that runs in several files. */
  readonly suite?: string
  /** The longest one run of the test may take, in seconds, if not {@link usualLimit}. */
  readonly limit?: number
  /** How the test notices. `limit`: without the guard it waits for ever, and the limit ends it. A failed assertion where absent. */
  readonly noticedBy?: "limit"
}

/** The longest one run of a mutant's test may take, in seconds: start, servers and the test. */
export const usualLimit = 120

/**
 * The guards a promise depends on, each with the test that fails without it. `node test/mutants/run.ts` applies them one by one
 * to a clone of the last commit and runs their tests.
 */
export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "the fence of the Postgres ledger is off",
    file: "packages/sink-postgres/src/ledger/LedgerSegments.ts",
    find: '  yield* assertEpoch("commit", commit, rows)\n',
    replace: "",
    test: "packages/sink-postgres/test/sink.integration.test.ts",
    named: "refuses every write of a run that was taken over",
    suite: "packages/testkit/src/LedgerSuite.ts"
  },
  {
    name: "pages are delivered again when their slice is read again",
    file: "packages/core/src/source/JobReader.ts",
    find: "const isNew = seen.add(row.key)",
    replace: "const isNew = seen.add(row.key) || true",
    test: "test/core/Reader.test.ts",
    named: "a reader of moving jobs"
  },
  {
    name: "the settle time is 0",
    file: "packages/core/src/source/untilKnown.ts",
    find: "within: Duration.toMillis(options.settleTime)",
    replace: "within: 0",
    test: "test/core/Strangers.test.ts",
    named: "one stray 404 on a known job"
  },
  {
    name: "results have no time to catch up with counters",
    file: "packages/core/src/source/JobReader.ts",
    find: "const settleTime = Duration.toMillis(options.settleTime)",
    replace: "const settleTime = 0",
    test: "test/core/Strangers.test.ts",
    named: "results that lag for ten minutes"
  },
  {
    name: "repeated slices are not noticed",
    file: "packages/core/src/source/SlicePlan.ts",
    find: "(print === undefined || !this.#prints.has(print))",
    replace: "true",
    test: "test/core/Strangers.test.ts",
    named: "ends within the named number of sweeps where page is ignored"
  },
  {
    name: "a failure of the source throws away what it gave before",
    file: "packages/core/src/source/eachSettled.ts",
    find: "Effect.catch((failure) =>",
    replace: "Effect.catchDefect((failure) =>",
    test: "test/core/Strangers.test.ts",
    named: "the balance used up, with extractions in work"
  },
  {
    name: "a cancellation is asked for once",
    file: "packages/core/src/source/JobCancellation.ts",
    find: "if (!this.#isWanted || now < this.#nextAt) return",
    replace: "if (!this.#isWanted || this.#sent > 0) return",
    test: "test/core/Cancellation.test.ts",
    named: "that is answered with 500 is asked for again until the job has ended"
  },
  {
    name: "settings of a role are not pinned",
    file: "packages/sink-postgres/src/database/beginStatement.ts",
    find: "const pins = Object.entries(pinnedSettings)",
    replace: "const pins = Object.entries(pinnedSettings).slice(0, 0)",
    test: "test/e2e/HostileSettings.integration.test.ts",
    named: "never change what is read or written"
  },
  {
    name: "nothing is tried out before a run",
    file: "packages/core/src/run/acquire/beginRun.ts",
    find: "  yield* dryLoad(pipeline, connected)\n",
    replace: "",
    test: "apps/runner/test/TouchedTables.integration.test.ts",
    named: "has a constraint that no page meets"
  },
  {
    name: "rows that a trigger drops are counted",
    file: "packages/sink-postgres/src/load/LoadSegment.ts",
    find: "const kept = written === records.length ? records : yield* findKept(tx, records)",
    replace: "const kept = written < 0 ? yield* findKept(tx, records) : records",
    test: "packages/sink-postgres/test/TouchedTables.integration.test.ts",
    named: "they are not counted"
  },
  {
    name: "a refused statement is taken for a refused row",
    file: "packages/sink-postgres/src/load/Bisection.ts",
    find: "let isRowwise = false",
    replace: "let isRowwise = true",
    test: "packages/sink-postgres/test/TouchedTables.integration.test.ts",
    named: "of the table fails it, of a row is a dead letter"
  },
  {
    name: "the quarantine bound is off",
    file: "packages/core/src/run/finish/judgeRun.ts",
    find: 'if (quarantine === "off") return undefined',
    replace: "if (quarantine !== undefined) return undefined",
    test: "test/core/Quarantine.test.ts",
    named: "keeps a run from being published, by a bound that is on where none is named"
  },
  {
    name: "dead letters count towards what is expected",
    file: "packages/core/src/record/Tally.ts",
    find: "const isDead = dead === undefined ? record.refusal !== null : dead.has(record)",
    replace: "const isDead = false",
    test: "test/core/Quarantine.test.ts",
    named: "does not count towards what is expected"
  },
  {
    name: "readers may lose all they have",
    file: "packages/core/src/run/finish/judgeRun.ts",
    find: "if (2 * after >= before) continue",
    replace: "if (before >= 0) continue",
    test: "test/core/Unpublished.test.ts",
    named: "is loaded and not published in replace"
  },
  {
    name: "sweeps take runs that may still be published",
    file: "packages/sink-postgres/src/ledger/keptUnpublished.ts",
    find: "unpublishedKept.runs",
    replace: "unpublishedKept.runs - 3",
    test: "packages/sink-postgres/test/sink.integration.test.ts",
    named: "is kept while it is one of the newest three",
    suite: "packages/sink-postgres/test/unpublishedSuite.ts"
  },
  {
    name: "a ledger that lacks the marked run is believed",
    file: "packages/core/src/run/acquire/doubtLedger.ts",
    find: "return { why, is_certain: ofThis.length > 0 }",
    replace: 'if (why === "") return { why, is_certain: ofThis.length > 0 }',
    test: "test/core/Orphans.test.ts",
    named: "halts before it pays, and lands the job of the run it lacks"
  },
  {
    name: "an adopted job's intent has the time of the adoption",
    file: "packages/core/src/run/submit/makeSubmissionLog.ts",
    find: "orphan?.createdAt ?? (yield* Clock.currentTimeMillis)",
    replace: "yield* Clock.currentTimeMillis",
    test: "test/core/Orphans.test.ts",
    named: "adopts a job once, also when the process dies as it does"
  },
  {
    name: "small segments are written as parts of their own",
    file: "packages/sink-s3/src/writeSegment.ts",
    find: "seq > 1 && records.length > 0",
    replace: "seq < 1 && records.length > 0",
    test: "test/fanout/SmallParts.test.ts",
    named: "ends in a few parts of each dataset"
  },
  {
    name: "what is staged is removed before its parts are noted",
    file: "packages/sink-s3/src/gatherSegments.ts",
    find: "  if (yield* store.create(gatheredKey(name, group), note)) return parts\n",
    replace: "  if (note.bytes.length > 0) return parts\n",
    test: "packages/sink-s3/test/gatherSegments.test.ts",
    named: "is published again by its heir from the notes"
  },
  {
    name: "the lock of a directory is off",
    file: "packages/directory-lock/src/KernelLock.ts",
    find: "isHeld = tryLock(descriptor)",
    replace: "isHeld = tryLock(descriptor) || true",
    test: "packages/directory-lock/test/DirectoryLock.test.ts",
    named: "refuses a second process, names the first"
  },
  {
    name: "charges beyond the counters are believed to be nothing",
    file: "packages/core/src/source/SlicePlan.ts",
    find: ", chargedPages(snapshot))",
    replace: ")",
    test: "test/core/Strangers.test.ts",
    named: "counters that have fallen to what is shown before they are first seen"
  },
  {
    name: "gc takes from runs that can still be resumed",
    file: "apps/runner/src/commands/gc.ts",
    find: "          if ((yield* ledger.open({ runId })) !== undefined) return true\n",
    replace: "",
    test: "test/crash/commands/Commands.integration.test.ts",
    named: "runs that can still be resumed or published are",
    limit: 240
  },
  {
    name: "a migration is recorded in a transaction of its own",
    file: "packages/sink-postgres/src/database/Migrations.ts",
    find: '    yield* tx.query("INSERT INTO sluice_migrations (id) VALUES ($1)", [id])\n',
    replace:
      '    yield* tx.execute("COMMIT; BEGIN")\n    yield* tx.query("INSERT INTO sluice_migrations (id) VALUES ($1)", [id])\n',
    test: "test/crash/commands/Commands.integration.test.ts",
    named: "each migration is there as a whole or not at all",
    limit: 240
  }
]
