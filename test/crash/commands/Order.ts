import { DirectorySinkConfig, S3SinkConfig } from "@sluice/sink-s3"
import { Schema } from "effect"
import { phases } from "./Phase.ts"

/** Where tables are. */
const Tables = Schema.Union([Schema.Struct({ url: Schema.String }), Schema.Struct({ directory: Schema.String })])
export type Tables = typeof Tables.Type

/** Where objects are. */
const LakePlace = Schema.Union([Schema.Struct({ s3: S3SinkConfig }), Schema.Struct({ directory: DirectorySinkConfig })])

/** What a process is told to do. */
const Task = Schema.Union([
  Schema.Struct({ command: Schema.Literal("migrate"), tables: Tables }),
  Schema.Struct({ command: Schema.Literal("dlq replay"), tables: Tables }),
  Schema.Struct({
    command: Schema.Literal("gc"),
    lake: LakePlace,
    pipeline: Schema.String,
    /** The database of its ledger. */
    ledger: Schema.String
  })
])
export type Task = typeof Task.Encoded

/** A task, and where in it the process is to die. */
export const Order = Schema.Struct({
  task: Task,
  death: Schema.optionalKey(Schema.Struct({ phase: Schema.Literals(phases), nth: Schema.Int }))
})
