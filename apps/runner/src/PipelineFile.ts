import { type ConfigInvalid, type Pipeline, pipelineFromConfig, type SinkFactory } from "@sluice/core"
import { Postgres, PostgresSinkConfig } from "@sluice/sink-postgres"
import {
  Directory,
  DirectorySinkConfig,
  type DirectorySinkOptions,
  S3,
  S3SinkConfig,
  type S3SinkOptions
} from "@sluice/sink-s3"
import { Effect, FileSystem, Option, type Path, Result, Schema } from "effect"
import { embeddedLedger, type LedgerSettings, MachineSettings, machineFields } from "./ApiSettings.ts"
import { type ConfigText, readConfigText } from "./ConfigText.ts"
import { Environment } from "./Environment.ts"
import { invalid, type Refusal } from "./Refusal.ts"
import { Secrets } from "./Secrets.ts"
import { vaultOf } from "./vaults.ts"

/** Where a pipeline is looked for when no file is named, in this order. */
const standardNames = ["sluice.yaml", "sluice.yml", "sluice.json"] as const

/** Whether a file is one that is found without being named. */
export const isStandardName = (file: string): boolean => standardNames.some((name) => name === file)

/** Larger files are no pipelines. */
const largestFile = 1024 * 1024

/** The sinks a pipeline file can name. */
export const sinkFactories: ReadonlyArray<SinkFactory> = [
  {
    kind: "postgres",
    options: PostgresSinkConfig,
    make: (written) => Postgres.sink(Schema.decodeUnknownSync(PostgresSinkConfig)(written))
  },
  { kind: "s3", options: S3SinkConfig, make: (written) => S3.sink(written as S3SinkOptions) },
  {
    kind: "directory",
    options: DirectorySinkConfig,
    make: (written) => Directory.sink(written as DirectorySinkOptions)
  }
]

/** A pipeline file, read and checked. */
export interface PipelineFile {
  readonly file: string
  readonly pipeline: Pipeline
  readonly machine: MachineSettings
  /** The settings of its first Postgres sink, which is where `query` looks. */
  readonly postgres: Option.Option<PostgresSinkConfig>
  /** Where its runs are remembered, if not with that sink. */
  readonly ledger: Option.Option<LedgerSettings>
  /** The settings of its sinks of objects. */
  readonly lakes: ReadonlyArray<Lake>
}

/** A sink of objects, as its package's own functions take it. */
export type Lake =
  | { readonly kind: "s3"; readonly options: S3SinkOptions }
  | { readonly kind: "directory"; readonly options: DirectorySinkOptions }

/** The named file, or the first of {@link standardNames} in the working directory. */
export const findPipelineFile = Effect.fnUntraced(function* (
  named: Option.Option<string>
): Effect.fn.Return<Option.Option<string>, Refusal, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const exists = (file: string) => files.exists(file).pipe(Effect.orElseSucceed(() => false))
  if (Option.isSome(named)) {
    if (yield* exists(named.value)) return named
    return yield* invalid(`there is no file ${named.value}`)
  }
  for (const name of standardNames) if (yield* exists(name)) return Option.some(name)
  return Option.none()
})

/** Reads a pipeline file. Everything wrong with it is told at once, with line and path; nothing is connected to. */
export const loadPipelineFile = Effect.fnUntraced(function* (
  named: Option.Option<string>
): Effect.fn.Return<PipelineFile, Refusal, FileSystem.FileSystem | Path.Path> {
  const found = yield* findPipelineFile(named)
  if (Option.isNone(found)) {
    return yield* invalid(
      `there is no ${standardNames.join(", ")} here: name a pipeline file, or make one with "sluice init"`
    )
  }
  const file = found.value
  const text = yield* readText(file)
  const { variables } = yield* Environment
  const secrets = yield* Secrets
  const parsed = readConfigText(text, file.endsWith(".json") ? "JSON" : "YAML", variables, (value, path) => {
    if (mayBeSecret(path)) secrets.add(value)
  })
  if (Result.isFailure(parsed)) {
    const [first, ...others] = parsed.failure.map((issue) => sentence(file, issue, issue.path, issue.message))
    return yield* invalid(first!, ...others)
  }
  const config = parsed.success
  const described = yield* pipelineFromConfig(config.value, sinkFactories, machineFields).pipe(
    Effect.mapError((error) => inFile(file, config, error))
  )
  const machine = yield* Effect.orDie(Schema.decodeUnknownEffect(MachineSettings)(config.value))
  const written = yield* Effect.orDie(Schema.decodeUnknownEffect(WrittenSinks)(config.value))
  const pipeline = { ...described, vault: vaultOf(machine) }
  if (machine.api?.key !== undefined) secrets.add(machine.api.key)
  const postgres = Option.fromUndefinedOr(written.sinks.find(({ postgres }) => postgres !== undefined)?.postgres)
  return {
    file,
    pipeline,
    machine,
    postgres,
    ledger:
      machine.ledger === undefined && Option.isSome(postgres)
        ? Option.none()
        : Option.some(machine.ledger ?? embeddedLedger),
    lakes: written.sinks.flatMap(
      ({ directory, s3 }): ReadonlyArray<Lake> => [
        ...(s3 === undefined ? [] : [{ kind: "s3" as const, options: s3 }]),
        ...(directory === undefined ? [] : [{ kind: "directory" as const, options: directory }])
      ]
    )
  }
})

/** Members of `api` and of sinks that receipts and rows name: blotted out, those would be wrong. */
const plainMembers: ReadonlyArray<unknown> = [
  "auth",
  "base_url",
  "bucket",
  "compression",
  "conditional_writes",
  "directory",
  "endpoint",
  "format",
  "mode",
  "name",
  "path",
  "prefix",
  "region",
  "schema"
]

/** What is crawled and how is no secret: it stands in the tables, and every receipt tells it. */
const mayBeSecret = (path: ReadonlyArray<string | number>): boolean =>
  ["api", "sinks", "ledger", "vault"].includes(String(path[0])) && !plainMembers.includes(path.at(-1))

const WrittenSinks = Schema.Struct({
  sinks: Schema.Array(
    Schema.Struct({
      postgres: Schema.optionalKey(PostgresSinkConfig),
      s3: Schema.optionalKey(Schema.toEncoded(S3SinkConfig)),
      directory: Schema.optionalKey(Schema.toEncoded(DirectorySinkConfig))
    })
  )
})

const readText = Effect.fnUntraced(function* (file: string): Effect.fn.Return<string, Refusal, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const unreadable = () => invalid(`${file} cannot be read: check that it is a file and that you may read it`)
  const info = yield* files.stat(file).pipe(Effect.mapError(unreadable))
  if (info.size > largestFile) return yield* invalid(`${file} is larger than a pipeline file can be (1 MiB)`)
  return yield* files.readFileString(file).pipe(Effect.mapError(unreadable))
})

const inFile = (file: string, config: ConfigText, error: ConfigInvalid): Refusal => {
  const [first, ...others] = error.issues
    .map(({ message, path }) => ({ at: config.locate(path), path, message }))
    .sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
    .map(({ at, message, path }) => sentence(file, at, path, message))
  return invalid(first!, ...others)
}

const sentence = (
  file: string,
  at: { readonly line: number; readonly column: number },
  path: ReadonlyArray<string | number>,
  message: string
): string => `${file}:${at.line}:${at.column}: ${path.length === 0 ? "" : `${path.join(".")}: `}${message}`
