import type { Effect } from "effect"
import type { Column, Rows } from "./Columns.ts"

/** A way to write rows as one object. The same rows become the same bytes. */
export interface PartFormat {
  readonly extension: string
  readonly contentType: string
  readonly encode: (columns: ReadonlyArray<Column>, rows: Rows) => Effect.Effect<Uint8Array>
}
