import { tableFromIPC } from "apache-arrow"
import { readParquet } from "parquet-wasm/node"

const instant = (value: unknown) => (typeof value === "number" ? new Date(value).toISOString() : value)

/** Reads Parquet with the Rust implementation of Arrow, which shares nothing with the writer nor with DuckDB. */
export const readByArrow = (bytes: Uint8Array): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  tableFromIPC(readParquet(bytes).intoIPCStream())
    .toArray()
    .map((row: { toJSON: () => Readonly<Record<string, unknown>> }) =>
      Object.fromEntries(
        Object.entries(row.toJSON()).map(([name, value]) => {
          if (typeof value === "bigint") return [name, name === "page_key" ? String(value) : Number(value)]
          return [
            name,
            name === "extra" && typeof value === "string"
              ? JSON.parse(value)
              : name === "observed_at"
                ? instant(value)
                : value
          ]
        })
      )
    )
