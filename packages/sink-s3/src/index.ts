export { type LakeDataset, lakeDatasets } from "./Columns.ts"
export type { Garbage, GarbageOptions } from "./collectGarbage.ts"
export * as Directory from "./Directory.ts"
export { DirectorySinkConfig, type DirectorySinkOptions } from "./DirectorySinkConfig.ts"
export { LoaderRefused } from "./loaders/LoaderRefused.ts"
export { type LoaderEngine, type LoaderOptions, loaderEngines } from "./loaders/loadStatements.ts"
export { type ParquetColumn, type ParquetColumnType, ParquetRows } from "./ParquetRows.ts"
export { LakePointer, RunManifest } from "./RunManifest.ts"
export * as S3 from "./S3.ts"
export { type S3Place, S3SinkConfig, type S3SinkOptions, type S3Written } from "./S3SinkConfig.ts"
export { StoreError } from "./StoreError.ts"
export {
  DirectoryVaultConfig,
  type DirectoryVaultOptions,
  S3VaultConfig,
  type S3VaultOptions,
  SpoolConfig,
  type SpoolOptions
} from "./vault/VaultConfig.ts"
