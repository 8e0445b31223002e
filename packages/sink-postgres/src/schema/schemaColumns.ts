import { bigint, customType, integer, jsonb, text, timestamp } from "drizzle-orm/pg-core"

/** A `bytea` column. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" })
/** A `timestamptz` column. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "string" })
/** A `bigint` column of numbers that stay exact. */
export const count = (name: string) => bigint(name, { mode: "number" })
/** What is the same page within a set. */
export const pageKey = () => bigint("page_key", { mode: "bigint" })

/** What a page holds, in each of its versions. */
export const contentColumns = () => ({
  url: text("url").notNull(),
  parentUrl: text("parent_url"),
  depth: integer("depth"),
  inputIndex: integer("input_index"),
  status: text("status").notNull(),
  errorCode: text("error_code"),
  errorMessage: text("error_message"),
  markdown: text("markdown"),
  html: text("html"),
  fingerprint: bigint("fingerprint", { mode: "bigint" }),
  extra: jsonb("extra")
})

/** How a page was fetched. */
export const fetchColumns = () => ({
  httpStatus: integer("http_status"),
  durationMs: integer("duration_ms"),
  retryCount: integer("retry_count"),
  tokensCharged: integer("tokens_charged")
})
