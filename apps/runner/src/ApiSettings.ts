import { isServiceUrl } from "@sluice/core/config"
import { DatabaseUrl, oneDatabase, PostgresSinkConfig } from "@sluice/sink-postgres"
import { DirectoryVaultConfig, S3VaultConfig, SpoolConfig } from "@sluice/sink-s3"
import { Schema } from "effect"
import { NotifySettings } from "./NotifySettings.ts"
import { ScheduleConfig } from "./schedule/Schedule.ts"
import { TimeSpan } from "./TimeSpan.ts"

/** What an HTTP header can carry. */
export const ApiKey = Schema.String.check(
  Schema.isPattern(/^[\x21-\x7e]+$/, { expected: "a key without blanks, line breaks and control characters" })
)

/** Which Scraper API serves a pipeline, when the environment does not say. */
const ApiSettings = Schema.Struct({
  base_url: Schema.optionalKey(Schema.String.check(isServiceUrl)),
  key: Schema.optionalKey(Schema.RedactedFromValue(ApiKey, { label: "key" })),
  auth: Schema.optionalKey(Schema.Literals(["x-api-key", "bearer"])),
  profile: Schema.optionalKey(
    Schema.NonEmptyString.annotate({
      description: "A profile that `sluice probe` has written: the client is set by it where this file does not say."
    })
  ),
  concurrency: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 }))),
  requests_per_second: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
  give_up_after: Schema.optionalKey(
    TimeSpan.annotate({ description: "How long one outage may last before an attempt ends. Default: 1 hour." })
  ),
  settle_time: Schema.optionalKey(
    TimeSpan.annotate({
      description: "How long a job may be unknown, or its pages lag, before they count as gone. Default: 12 minutes."
    })
  )
}).annotate({ identifier: "Api", description: "Which Scraper API serves this pipeline. The environment wins." })
export type ApiSettings = typeof ApiSettings.Type

/** How the embedded scraper behaves when it serves a pipeline. */
const EmbeddedSettings = Schema.Struct({
  allow_private_targets: Schema.optionalKey(Schema.Boolean),
  host_delay_ms: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60_000 }))),
  host_concurrency: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 16 })))
}).annotate({ identifier: "Embedded", description: "How the embedded scraper behaves when it serves this pipeline." })
export type EmbeddedSettings = typeof EmbeddedSettings.Type

/** Where runs are remembered: a Postgres, or an embedded one in a directory. */
const LedgerSettings = Schema.Struct({
  url: Schema.optionalKey(Schema.RedactedFromValue(DatabaseUrl, { label: "url" })),
  directory: PostgresSinkConfig.fields.directory,
  schema: PostgresSinkConfig.fields.schema
})
  .check(oneDatabase)
  .annotate({
    identifier: "LedgerSettings",
    description: "Where runs are remembered. Absent: with the first Postgres sink, or else in ./.sluice/postgres."
  })

export type LedgerSettings = typeof LedgerSettings.Type

/** Where runs are remembered if nothing says so. */
export const embeddedLedger: LedgerSettings = Schema.decodeSync(LedgerSettings)({})

/** Where the API's answers are kept. */
const VaultSettings = Schema.Struct({
  directory: Schema.optionalKey(DirectoryVaultConfig),
  s3: Schema.optionalKey(S3VaultConfig)
})
  .check(Schema.makeFilter((vault) => Object.keys(vault).length === 1, { expected: "exactly one of directory, s3" }))
  .annotate({
    identifier: "VaultSettings",
    description: "Where every result of the API is kept as it came, for replay. Absent: nowhere."
  })
export type VaultSettings = typeof VaultSettings.Type

/** The members of a pipeline file that are about this machine, not about the pipeline: no part of its hash. */
export const machineFields = {
  api: Schema.optionalKey(ApiSettings),
  embedded: Schema.optionalKey(EmbeddedSettings),
  ledger: Schema.optionalKey(LedgerSettings),
  schedule: Schema.optionalKey(ScheduleConfig),
  vault: Schema.optionalKey(VaultSettings),
  spool: Schema.optionalKey(
    SpoolConfig.annotate({
      description: "Where segments wait for sinks that lag, in a pipeline of several sinks without a vault."
    })
  ),
  notify: Schema.optionalKey(NotifySettings)
}

const MachineSettings = Schema.Struct(machineFields)
/** {@link machineFields}, decoded. */
export type MachineSettings = typeof MachineSettings.Type
