export type { CatalogRelation } from "./database/Catalog.ts"
export * from "./database/Database.ts"
export { DatabaseError } from "./database/DatabaseError.ts"
export { MigrationError } from "./database/Migrations.ts"
export { type DatabasePlace, databaseName } from "./databaseName.ts"
export * as PostgresLedger from "./ledger/PostgresLedger.ts"
export * as Postgres from "./Postgres.ts"
export {
  DatabaseUrl,
  embeddedDirectory,
  LoadMode,
  oneDatabase,
  PostgresSinkConfig,
  type PostgresSinkOptions
} from "./PostgresSinkConfig.ts"
export type { OpenScheduledRun, ScheduledState, Tick, TickDecision, TickLog, TickState } from "./schedule/TickLog.ts"
