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
}

/**
 * The guards a promise depends on, each with the test that fails without it. `node test/mutants/run.ts` applies them one by one
 * to a clone of the last commit and runs their tests.
 */
export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "the fence of the Postgres ledger is off",
    file: "packages/sink-postgres/src/ledger/LedgerSegments.ts",
    find: '  yield* proveEpoch("commit", commit, rows)\n',
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
  }
]
