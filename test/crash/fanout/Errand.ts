import { Source } from "@sluice/core"
import { DirectorySinkConfig, DirectoryVaultConfig, S3SinkConfig, S3VaultConfig } from "@sluice/sink-s3"
import { Schema } from "effect"
import type { FanoutPoint } from "./points.ts"

const text = <A extends string>() => Schema.String as unknown as Schema.Codec<A, string>

/** All a process is told: what it carries out, where it lands, and where it is to die. */
export const Errand = Schema.Struct({
  /** A run of the source, or a replay of what the vault holds. */
  task: Schema.Literals(["run", "replay"]),
  pipeline: Schema.String,
  source: Source,
  api: Schema.Struct({ url: Schema.String, key: Schema.String }),
  postgres: Schema.Struct({ url: Schema.String, mode: Schema.Literals(["append", "replace"]) }),
  lake: Schema.Union([Schema.Struct({ s3: S3SinkConfig }), Schema.Struct({ directory: DirectorySinkConfig })]),
  kept: Schema.Union([
    Schema.Struct({ vault: DirectoryVaultConfig }),
    Schema.Struct({ s3: S3VaultConfig }),
    Schema.Struct({ spool: DirectoryVaultConfig })
  ]),
  segmentRecords: Schema.Int,
  leaseMs: Schema.Int,
  /** A sink that takes nothing from this process. */
  down: Schema.optionalKey(Schema.Literals(["postgres", "lake"])),
  death: Schema.optionalKey(
    Schema.Struct({
      point: text<FanoutPoint>(),
      /** The how manieth time it is met. */
      nth: Schema.Int,
      signal: Schema.Literals(["SIGKILL", "SIGSTOP"])
    })
  )
})
export type Errand = typeof Errand.Type
