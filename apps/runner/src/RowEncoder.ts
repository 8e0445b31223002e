import type { Column } from "@sluice/sink-postgres"

/** What is written of rows as they come: what is next in the output. */
export interface RowEncoder {
  readonly begin: (columns: ReadonlyArray<Column>) => Promise<string | Uint8Array>
  readonly rows: (rows: ReadonlyArray<ReadonlyArray<unknown>>) => string | Uint8Array
  readonly end: () => string | Uint8Array
}
