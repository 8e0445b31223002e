export * from "./LedgerSuite.ts"
export * from "./PostgresServer.ts"
export * from "./SinkSuite.ts"
export * from "./simulator/index.ts"
