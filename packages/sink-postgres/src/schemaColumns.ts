import { bigint, customType, timestamp } from "drizzle-orm/pg-core"

/** A `bytea` column. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" })
/** A `timestamptz` column. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "string" })
/** A `bigint` column of numbers that stay exact. */
export const count = (name: string) => bigint(name, { mode: "number" })
/** What is the same page within a set. */
export const pageKey = () => bigint("page_key", { mode: "bigint" })
