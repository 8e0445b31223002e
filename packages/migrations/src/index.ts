export {
  type Migration,
  type MigrationTransaction,
  NewerSchema,
  pendingMigrations,
  runMigrations,
  type TransactionRunner
} from "./runMigrations.ts"
