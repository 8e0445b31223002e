import { Directory, LoaderRefused, lakeDatasets, loaderEngines, S3, type StoreError } from "@sluice/sink-s3"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type CliError, failed, invalid } from "../CliError.ts"
import { printResult } from "../Output.ts"
import { loadPipelineFile, type PipelineFile } from "../PipelineFile.ts"
import type { Lake } from "../PipelineSinks.ts"
import { pipelineArgument } from "./run.ts"

/** `sluice ddl`: the statements by which an engine reads or loads what an object sink has published. `loaders` is its old name. */
export const ddl = Command.make(
  "ddl",
  {
    engine: Argument.Literals("ENGINE", loaderEngines).pipe(
      Argument.withDescription(`What reads the objects: ${loaderEngines.join(", ")}`)
    ),
    file: pipelineArgument,
    sink: Flag.String("sink").pipe(Flag.withDescription("The s3 or directory sink, by its name"), Flag.optional),
    dataset: Flag.Literals("dataset", lakeDatasets).pipe(
      Flag.withDescription("One dataset; all of them when absent"),
      Flag.optional
    ),
    schema: Flag.String("schema").pipe(
      Flag.withDescription("What the tables are put in; the pipeline's name when absent, _ for -"),
      Flag.optional
    ),
    manifest: Flag.String("manifest").pipe(
      Flag.withDescription("For redshift: print the manifest a COPY reads, of a dataset, instead of the statements"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ dataset, engine, file, manifest, schema, sink }) {
    const loaded = yield* loadPipelineFile(file)
    const lake = yield* chosen(loaded, sink)
    const pipeline = loaded.pipeline.name
    if (Option.isSome(manifest)) {
      if (engine !== "redshift") return yield* invalid("--manifest needs the engine redshift: remove it")
      if (lake.kind === "directory") return yield* invalid("redshift reads no local directory: use a sink to a bucket")
      const text = S3.redshiftManifest(lake.options, { pipeline, name: manifest.value })
      return yield* printResult(yield* Effect.mapError(text, toRefusal))
    }
    const options = {
      engine,
      pipeline,
      ...(Option.isSome(dataset) ? { datasets: [dataset.value] } : {}),
      ...(Option.isSome(schema) ? { schema: schema.value } : {})
    }
    const text =
      lake.kind === "s3" ? S3.loadStatements(lake.options, options) : Directory.loadStatements(lake.options, options)
    yield* printResult(yield* Effect.mapError(text, toRefusal))
  })
).pipe(
  Command.withAlias("loaders"),
  Command.withDescription("Print the statements that read or load what an s3 or directory sink has published")
)

/** The sink that is meant: the named one, or the only one. */
const chosen = ({ file, lakes }: PipelineFile, name: Option.Option<string>): Effect.Effect<Lake, CliError> => {
  if (lakes.length === 0) return Effect.fail(invalid(`${file} has no s3 or directory sink`))
  const names = lakes.map(({ kind, options }) => options.name ?? kind)
  const [only, second] = lakes.filter((_, at) => Option.isNone(name) || names[at] === name.value)
  if (only !== undefined && second === undefined) return Effect.succeed(only)
  const choice = names.map((one) => `--sink ${one}`).join(" or ")
  return Effect.fail(
    invalid(
      only === undefined
        ? `${file} has no s3 or directory sink of that name: say ${choice}`
        : `${file} has several s3 or directory sinks: say ${choice}`
    )
  )
}

const toRefusal = (error: StoreError | LoaderRefused): CliError =>
  error instanceof LoaderRefused ? invalid(error.message) : failed(error.message)
