import type { Pipeline } from "@sluice/core"
import { ConfigInvalid, configJsonSchema, decodeConfig, pipelineOf, pipelineSchema } from "@sluice/core/config"
import type { PostgresSinkConfig } from "@sluice/sink-postgres"
import { Effect, FileSystem, Option, Path, Result } from "effect"
import { embeddedLedger, type LedgerSettings, machineFields } from "./ApiSettings.ts"
import { type CliError, invalid } from "./CliError.ts"
import { type ConfigText, readConfigText } from "./ConfigText.ts"
import { describeFields } from "./describeFields.ts"
import { Environment } from "./Environment.ts"
import { homeOf, makeResolve } from "./home.ts"
import { chooseHome, type HomeQuestion } from "./legacyHome.ts"
import { keptByMachine, keptByScraper, ledgerAt, type Machine, machineOf } from "./Machine.ts"
import { type Lake, pipelineSinks } from "./PipelineSinks.ts"
import { placeConflicts } from "./placeConflicts.ts"
import { readUtf8 } from "./readUtf8.ts"
import { Secrets } from "./Secrets.ts"
import { type Schedule, scheduleOf } from "./schedule/Schedule.ts"
import { rememberSecrets } from "./secretsOf.ts"
import { vaultOf } from "./vaults.ts"

/** Where a pipeline is looked for when no file is named, in this order. */
const standardNames = ["sluice.yaml", "sluice.yml", "sluice.json"] as const

/** Whether a file is one that is found without being named. */
export const isStandardName = (file: string): boolean => standardNames.some((name) => name === file)

/** Larger files are no pipelines. */
const largestFile = 1024 * 1024

/** The schema of a pipeline file. Its paths are as they are written. */
const fileSchema = pipelineSchema(pipelineSinks((path) => path).factories, machineFields)

let jsonSchema: Record<string, unknown> | undefined

/** {@link fileSchema} as a JSON Schema, for editors; made when it is first asked for. */
export const fileJsonSchema = (): Record<string, unknown> => {
  jsonSchema ??= describeFields(configJsonSchema(fileSchema))
  return jsonSchema
}

/** The JSON Schema for editors: with the members that are for them, or for sharing, alone. */
export const pipelineFileSchema = (): Record<string, unknown> => ({
  ...fileJsonSchema(),
  patternProperties: { "^x-": {}, "^\\$schema$": { type: "string" } }
})

/** A pipeline file, read and checked. */
export interface PipelineFile {
  readonly file: string
  /** What its relative paths start from, absolute. */
  readonly home: string
  readonly pipeline: Pipeline
  readonly machine: Machine
  /** The settings of its first Postgres sink, which is where `query` looks. */
  readonly postgres: Option.Option<PostgresSinkConfig>
  /** Where its runs are remembered, if not with that sink. */
  readonly ledger: Option.Option<LedgerSettings>
  /** The settings of its sinks of objects. */
  readonly lakes: ReadonlyArray<Lake>
  /** When workers run it. */
  readonly schedule: Option.Option<Schedule>
}

/** The named file, or the first of {@link standardNames} in the working directory. */
export const findPipelineFile = Effect.fnUntraced(function* (
  named: Option.Option<string>
): Effect.fn.Return<Option.Option<string>, CliError, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const exists = (file: string) => files.exists(file).pipe(Effect.orElseSucceed(() => false))
  if (Option.isSome(named)) {
    if (yield* exists(named.value)) return named
    return yield* invalid(`there is no file ${named.value}`)
  }
  for (const name of standardNames) if (yield* exists(name)) return Option.some(name)
  return Option.none()
})

/** A pipeline file for commands that run it or look at what it has written: finds where earlier versions have left that. */
export const loadPipelineFile = (named: Option.Option<string>) => readPipelineFile(named, chooseHome)

/** A pipeline file for commands that connect to nothing. */
export const checkPipelineFile = (named: Option.Option<string>) =>
  readPipelineFile(named, ({ home }) => Effect.succeed(home))

/** Reads a pipeline file. Everything wrong with it is told at once, with line and path. */
const readPipelineFile = Effect.fnUntraced(function* (
  named: Option.Option<string>,
  choose: (question: HomeQuestion) => Effect.Effect<string, CliError, FileSystem.FileSystem | Path.Path>
): Effect.fn.Return<PipelineFile, CliError, FileSystem.FileSystem | Path.Path> {
  const found = yield* findPipelineFile(named)
  if (Option.isNone(found)) {
    return yield* invalid(
      `there is no ${standardNames.join(", ")} here: name a pipeline file, or make one with "sluice init"`
    )
  }
  const file = found.value
  if (/\.[cm]?[jt]s$/.test(file)) {
    return yield* invalid(
      `${file} is a program, and no pipeline file: run it with "node ${file}", or name a file in YAML or JSON`
    )
  }
  const text = yield* readText(file)
  const { variables } = yield* Environment
  const parsed = readConfigText(text, {
    language: file.endsWith(".json") ? "JSON" : "YAML",
    environment: variables,
    schema: fileJsonSchema
  })
  if (Result.isFailure(parsed)) {
    const [first, ...others] = parsed.failure.map((issue) => sentence(file, issue, issue.path, issue.message))
    return yield* invalid(first!, ...others)
  }
  const config = parsed.success
  const decoded = yield* decodeConfig(fileSchema, config.value).pipe(
    Effect.mapError((error) => inFile(file, config, error))
  )
  rememberSecrets(yield* Secrets, decoded)
  const build = (home: string) =>
    buildPipeline(file, decoded, home).pipe(Effect.mapError((error) => inFile(file, config, error)))
  const built = yield* build(yield* homeOf(file))
  const home = yield* choose({ file, home: built.home, pipeline: built.pipeline.name, kept: built.kept })
  return home === built.home ? built : yield* build(home)
})

/** What a decoded file describes, with its relative paths below a home. */
const buildPipeline = Effect.fnUntraced(function* (
  file: string,
  decoded: typeof fileSchema.Type,
  home: string
): Effect.fn.Return<PipelineFile & Pick<HomeQuestion, "kept">, ConfigInvalid, Path.Path> {
  const path = yield* Path.Path
  const resolve = yield* makeResolve(home)
  const sinks = pipelineSinks(resolve)
  const described = yield* pipelineOf(decoded, sinks.factories)
  const machine = machineOf(decoded, resolve)
  const [first, ...others] = placeConflicts(sinks, machine, path.resolve)
  if (first !== undefined) return yield* new ConfigInvalid({ issues: [first, ...others] })
  const postgres = Option.fromUndefinedOr(sinks.postgres[0])
  // Of a pipeline without a Postgres sink, runs are remembered in an embedded database.
  const ledger = decoded.ledger ?? (Option.isSome(postgres) ? undefined : embeddedLedger)
  const written = [...sinks.kept, ...keptByMachine({ ...decoded, ...(ledger === undefined ? {} : { ledger }) })]
  const kept = written.some(({ kind }) => kind === "database") ? written : [...written, keptByScraper]
  return {
    file,
    home,
    kept: kept.filter((place) => !path.isAbsolute(place.path)),
    pipeline: { ...described, vault: vaultOf(machine) },
    machine,
    postgres,
    ledger: ledger === undefined ? Option.none() : Option.some(ledgerAt(ledger, resolve)),
    lakes: sinks.lakes,
    schedule: Option.map(Option.fromUndefinedOr(decoded.schedule), scheduleOf)
  }
})

const readText = Effect.fnUntraced(function* (file: string): Effect.fn.Return<string, CliError, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const unreadable = () => invalid(`${file} cannot be read: check that it is a file and that you may read it`)
  const info = yield* files.stat(file).pipe(Effect.mapError(unreadable))
  if (info.size > largestFile) return yield* invalid(`${file} is larger than a pipeline file can be (1 MiB)`)
  const text = readUtf8(yield* files.readFile(file).pipe(Effect.mapError(unreadable)))
  return Result.isSuccess(text) ? text.success : yield* invalid(sentence(file, text.failure, [], text.failure.message))
})

const inFile = (file: string, config: ConfigText, error: ConfigInvalid): CliError => {
  const [first, ...others] = error.issues
    .map(({ message, path }) => ({ at: config.locate(path), path, message }))
    .sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
    .map(({ at, message, path }) => {
      const variables = config.variablesAt(path)
      const origin = variables.length === 0 ? "" : ` (the value comes from ${variables.join(", ")})`
      return sentence(file, at, path, `${message}${origin}`)
    })
  return invalid(first!, ...others)
}

const sentence = (
  file: string,
  at: { readonly line: number; readonly column: number },
  path: ReadonlyArray<string | number>,
  message: string
): string => `${file}:${at.line}:${at.column}: ${path.length === 0 ? "" : `${path.join(".")}: `}${message}`
