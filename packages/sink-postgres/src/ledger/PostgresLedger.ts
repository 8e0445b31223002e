import type { Ledger } from "@sluice/core"
import type { Database } from "../database/Database.ts"
import { dryRun } from "./dryRun.ts"
import { ledgerOutbox } from "./LedgerOutbox.ts"
import { ledgerRuns } from "./LedgerRuns.ts"
import { ledgerSegments } from "./LedgerSegments.ts"
import { ledgerSubmissions } from "./LedgerSubmissions.ts"

/**
 * The ledger in a database that has been migrated. Commits of the same database's sink run inside its transaction.
 *
 * A pipeline with a Postgres sink uses the ledger of that sink by itself; give this one to pipelines without. Its operations fail
 * with a `LedgerError`.
 *
 * @example
 * ```ts
 * import { Crawl, Pipeline } from "@sluice/core"
 * import { Postgres } from "@sluice/sink-postgres"
 * import { S3 } from "@sluice/sink-s3"
 * import { Effect } from "effect"
 *
 * const receipt = Effect.gen(function* () {
 *   const database = yield* Postgres.open({ directory: "./.sluice/db" })
 *   yield* Postgres.migrate(database)
 *   const source = Crawl.make({ url: "https://example.com/" })
 *   const pipeline = Pipeline.make({ name: "docs", source, sinks: [S3.sink({ bucket: "lake" })] })
 *   return yield* Pipeline.run(pipeline, { ledger: Postgres.ledger(database) })
 * }).pipe(Effect.scoped)
 * ```
 */
export const make = (database: Database): Ledger => ({
  store: database.store,
  ...ledgerRuns(database),
  ...ledgerSubmissions(database),
  ...ledgerSegments(database),
  ...ledgerOutbox(database),
  ...dryRun(database, make)
})
