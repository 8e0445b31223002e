import type { Ledger } from "@sluice/core"
import type { Database } from "../database/Database.ts"
import { dryRun } from "./dryRun.ts"
import { ledgerRuns } from "./LedgerRuns.ts"
import { ledgerSegments } from "./LedgerSegments.ts"
import { ledgerSubmissions } from "./LedgerSubmissions.ts"

/** The ledger in a database that has been migrated. Commits of the same database's sink run inside its transaction. */
export const make = (database: Database): Ledger => ({
  store: database.store,
  ...ledgerRuns(database),
  ...ledgerSubmissions(database),
  ...ledgerSegments(database),
  ...dryRun(database, make)
})
