import { isLocalPath, isPlainText } from "@sluice/core/sink"
import { Effect, Redacted, Result, Schema } from "effect"
import { connectionSettings } from "./database/ConnectionSettings.ts"

/**
 * How pages of later runs meet those of earlier ones: kept beside them, taking their place page by page or all at once, or
 * taking their place with the earlier versions kept.
 */
export const LoadMode = Schema.Literals(["append", "merge", "replace", "history"])
export type LoadMode = typeof LoadMode.Type

/** Bytes of a name that Postgres keeps. It cuts off the rest without an error, which may make two names equal. */
const mostBytes = 63

/** A name of a schema that means what it says: one that the server takes whole, and that is not the server's own. */
const SchemaName = Schema.NonEmptyString.check(
  Schema.makeFilter((name: string) => {
    if (/\p{Cc}/u.test(name) || !name.isWellFormed()) return "a name without control characters and half characters"
    if (Buffer.byteLength(name) > mostBytes) {
      return `a name of at most ${mostBytes} bytes, as Postgres counts names (this one has ${Buffer.byteLength(name)})`
    }
    if (name.startsWith("pg_")) return "schemas that begin with pg_ belong to the server"
    return name !== "information_schema" || "the schema information_schema belongs to the server"
  })
)

/** Where a server is, and how it is connected to; see `docs/reference/postgres.md` for what may be written. */
export const DatabaseUrl = Schema.String.check(
  Schema.makeFilter((url: string) => {
    const settings = connectionSettings(url)
    return Result.isSuccess(settings) || settings.failure
  })
)

/** Where an embedded database is if nothing says so. */
export const embeddedDirectory = "./.sluice/postgres"

/** A database is a server or embedded. */
export const oneDatabase = Schema.makeFilter<{ readonly url?: unknown; readonly directory?: unknown }>(
  ({ directory, url }) =>
    directory === undefined ||
    url === undefined || { path: ["directory"], issue: "has no effect with url: remove one of them" }
)

/** The settings of a Postgres sink as a pipeline file holds them. */
export const PostgresSinkConfig = Schema.Struct({
  /** Address of the server, `postgres://user:password@host:port/database`. Absent: an embedded database in `directory`. */
  url: Schema.optionalKey(Schema.RedactedFromValue(DatabaseUrl, { label: "url" })),
  /** Where the embedded database lives; made if absent. */
  directory: Schema.optionalKey(Schema.NonEmptyString.check(isLocalPath).annotate({ default: embeddedDirectory })),
  /** Schema the tables are in; made if absent. */
  schema: SchemaName.pipe(Schema.withDecodingDefaultKey(Effect.succeed("public"))),
  /**
   * `merge` keeps the latest delivery of each page, `append` every job's own; `replace` shows readers a run's pages when it has
   * completed, and then those alone; `history` keeps every version of each page.
   */
  mode: LoadMode.pipe(Schema.withDecodingDefaultKey(Effect.succeed("merge"))),
  /** In `history`: how many whole crawls in a row a page may be missing from before it is closed. 3 when absent. */
  close_after: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
  /** Removes, when a run has completed, what runs before the last so many completed ones have left. Absent: all is kept. */
  retain: Schema.optionalKey(
    Schema.Struct({ runs: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })) })
  ),
  /**
   * `off`: the server answers a segment's commit before it is on disk. A server that crashes may then lose the last segments,
   * their commits in the ledger with them, and they are read again; intents, job ids and the end of a run are on disk first.
   */
  synchronous_commit: Schema.optionalKey(Schema.Literals(["on", "off"])),
  /** Tells sinks of one pipeline apart. */
  name: Schema.NonEmptyString.check(isPlainText).pipe(Schema.withDecodingDefaultKey(Effect.succeed("postgres")))
})
  .check(
    oneDatabase,
    Schema.makeFilter(
      ({ close_after, mode }) =>
        close_after === undefined || mode === "history" || { path: ["close_after"], issue: "needs mode: history" }
    )
  )
  .annotate({ identifier: "PostgresSinkConfig" })
export type PostgresSinkConfig = typeof PostgresSinkConfig.Type

/** The settings as code writes them: each is optional, and the url may be plain or redacted. */
export interface PostgresSinkOptions {
  readonly url?: string | Redacted.Redacted | undefined
  readonly directory?: string | undefined
  readonly schema?: string | undefined
  readonly mode?: LoadMode | undefined
  readonly close_after?: number | undefined
  readonly retain?: { readonly runs: number } | undefined
  readonly synchronous_commit?: "on" | "off" | undefined
  readonly name?: string | undefined
}

/** Fills in the defaults. */
export const withDefaults = (options: PostgresSinkOptions): PostgresSinkConfig & { readonly directory: string } => ({
  ...(options.url === undefined
    ? {}
    : { url: Redacted.isRedacted(options.url) ? options.url : Redacted.make(options.url, { label: "url" }) }),
  directory: options.directory ?? embeddedDirectory,
  schema: options.schema ?? "public",
  mode: options.mode ?? "merge",
  ...(options.close_after === undefined ? {} : { close_after: options.close_after }),
  ...(options.retain === undefined ? {} : { retain: options.retain }),
  ...(options.synchronous_commit === undefined ? {} : { synchronous_commit: options.synchronous_commit }),
  name: options.name ?? "postgres"
})

const closeAfterDefault = 3

/** How many whole crawls in a row a page may be missing from before it is closed. */
export const closeAfterOf = (config: PostgresSinkConfig): number => config.close_after ?? closeAfterDefault

/** What of the settings changes what becomes of the records. */
export const behaviourOf = (config: PostgresSinkConfig) =>
  config.mode === "history"
    ? { mode: config.mode, schema: config.schema, close_after: closeAfterOf(config) }
    : { mode: config.mode, schema: config.schema }
