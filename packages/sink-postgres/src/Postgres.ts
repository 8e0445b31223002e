export { catalog } from "./database/Catalog.ts"
export { heldDatabase as openHeld } from "./database/HeldDatabase.ts"
export { migrate } from "./database/Migrations.ts"
export { open } from "./database/openDatabase.ts"
export { openReader } from "./database/openReader.ts"
export { type QueryOptions, query } from "./database/Query.ts"
export { type RowBatch, type RowsRead, readRows } from "./database/ReadRows.ts"
export type { DeadLetterFilter } from "./dead-letters/DeadLetterFilter.ts"
export {
  type DeadLetterSummary,
  type DeadLetters,
  deadLetters,
  type FullDeadLetter
} from "./dead-letters/DeadLetterQueue.ts"
export type { Replay, ReplayOptions } from "./dead-letters/replayDeadLetters.ts"
export { make as ledger } from "./ledger/PostgresLedger.ts"
export { fromConfig, sink } from "./PostgresSink.ts"
export { type DatabasePlan, plan } from "./plan/databasePlan.ts"
export { tryWrites } from "./plan/tryWrites.ts"
export { make as tickLog } from "./schedule/TickLog.ts"
