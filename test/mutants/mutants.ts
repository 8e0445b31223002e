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
  }
]
