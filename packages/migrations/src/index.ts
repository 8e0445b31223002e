export {
  type Migration,
  type MigrationTransaction,
  NewerSchema,
  runMigrations,
  type TransactionRunner
} from "./runMigrations.ts"
