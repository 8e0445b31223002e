import { Effect, Result, Schema, SchemaIssue } from "effect"
import { distance } from "fastest-levenshtein"
import { DriftPolicy } from "../record/Drift.ts"
import { Transform, TransformConfig } from "../record/Transform.ts"
import type { Sink } from "../sink/Sink.ts"
import { Source } from "../source/Source.ts"
import { Budget } from "./Budget.ts"
import { Expectations } from "./Expectations.ts"
import { makePipeline, type PipelineDefinition, PipelineName } from "./makePipeline.ts"
import { Quarantine } from "./Quarantine.ts"
import { expectedAt, membersAt } from "./schemaAt.ts"
import { WaitMinutes, WhenRunning } from "./WhenRunning.ts"

/** A kind of sink as pipeline files know it: the schema of its options, and how options as written become a sink. */
export interface SinkFactory {
  readonly kind: string
  readonly options: Schema.Codec<unknown, unknown>
  readonly make: (written: unknown) => Sink
}

/** One thing wrong with a pipeline's configuration: where it is, and what was expected. */
export const ConfigIssue = Schema.Struct({
  path: Schema.Array(Schema.Union([Schema.String, Schema.Finite])),
  message: Schema.String
})
export type ConfigIssue = typeof ConfigIssue.Type

/** A configuration that makes no sense. Quotes no value of it. */
export class ConfigInvalid extends Schema.TaggedError<ConfigInvalid>()("ConfigInvalid", {
  issues: Schema.NonEmptyArray(ConfigIssue)
}) {
  override get message(): string {
    return this.issues.map(({ message, path }) => `${path.join(".")}: ${message}`).join("\n")
  }
}

const AllowShrink = Schema.Boolean.annotate({
  description:
    "Publish a run also where it leaves readers of a sink in mode replace or history with fewer than half of the pages they have."
})

/** The schema of a pipeline file whose sinks are of the given kinds, with the further members a program of yours reads. */
export const pipelineSchema = (factories: ReadonlyArray<SinkFactory>, further: Schema.Struct.Fields = {}) => {
  const kinds = factories.map(({ kind }) => kind)
  const sink = Schema.Struct(
    Object.fromEntries(factories.map(({ kind, options }) => [kind, Schema.optionalKey(options)]))
  ).check(
    Schema.makeFilter((entry) => Object.keys(entry).length === 1, { expected: `exactly one of ${kinds.join(", ")}` })
  )
  return Schema.Struct({
    ...further,
    name: PipelineName,
    source: Source,
    transforms: Schema.optionalKey(Schema.Array(TransformConfig)),
    budget: Schema.optionalKey(Budget),
    drift: Schema.optionalKey(DriftPolicy),
    quarantine: Schema.optionalKey(Quarantine),
    expect: Schema.optionalKey(Expectations),
    allow_shrink: Schema.optionalKey(AllowShrink),
    when_running: Schema.optionalKey(WhenRunning),
    wait_minutes: Schema.optionalKey(WaitMinutes),
    sinks: Schema.Array(sink).check(Schema.isMinLength(1, { expected: "at least one sink" }))
  })
    .check(
      Schema.makeFilter(
        ({ wait_minutes: minutes, when_running: whenRunning }) =>
          minutes === undefined ||
          whenRunning === "wait" || { path: ["wait_minutes"], issue: "goes with when_running: wait alone" }
      )
    )
    .annotate({ title: "Sluice pipeline" })
}

/** The JSON Schema of a pipeline file, for editors. */
export const pipelineJsonSchema = (
  factories: ReadonlyArray<SinkFactory>,
  further: Schema.Struct.Fields = {}
): Record<string, unknown> => {
  const { definitions, schema } = Schema.toJsonSchemaDocument(pipelineSchema(factories, further), {
    onExcessProperty: "error"
  })
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...schema, $defs: definitions }
}

/** The pipeline a configuration describes, or everything that is wrong with it. */
export const pipelineFromConfig = Effect.fnUntraced(function* (
  config: unknown,
  factories: ReadonlyArray<SinkFactory>,
  further: Schema.Struct.Fields = {}
): Effect.fn.Return<PipelineDefinition, ConfigInvalid> {
  const schema = pipelineSchema(factories, further)
  const decoded = Schema.decodeUnknownResult(schema)(config, { errors: "all", onExcessProperty: "error" })
  if (Result.isFailure(decoded)) {
    const { issues } = SchemaIssue.makeFormatterStandardSchemaV1()(decoded.failure.issue)
    const json = pipelineJsonSchema(factories, further)
    const [first, ...others] = issues.map(({ message, path = [] }) => {
      const keys = path.map((key) => (typeof key === "object" ? key.key : key)).map(toKey)
      return { path: keys, message: explain(json, keys, message) }
    })
    return yield* new ConfigInvalid({ issues: [first ?? { path: [], message: "it is no pipeline" }, ...others] })
  }
  // By name: what further members hold is no business of ours, whatever they are called.
  const {
    allow_shrink,
    budget,
    drift,
    expect,
    name,
    quarantine,
    source,
    transforms = [],
    wait_minutes,
    when_running
  } = decoded.success
  const { sinks: written } = yield* Effect.orDie(Schema.decodeUnknownEffect(WrittenSinks)(config))
  const sinks = written.flatMap((entry) =>
    factories.filter(({ kind }) => kind in entry).map((factory) => factory.make(entry[factory.kind]))
  )
  const twice = sinks.findIndex((sink, index) => sinks.findIndex(({ name }) => name === sink.name) < index)
  if (twice >= 0) {
    const message = `there is another sink named "${sinks[twice]!.name}": give one of them a name`
    return yield* new ConfigInvalid({ issues: [{ path: ["sinks", twice], message }] })
  }
  return makePipeline({
    name,
    source,
    sinks,
    transforms: transforms.map(Transform.fromConfig),
    budget,
    drift,
    quarantine,
    expect,
    allow_shrink,
    when_running,
    wait_minutes
  })
})

const WrittenSinks = Schema.Struct({ sinks: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)) })

const toKey = (key: PropertyKey): string | number => (typeof key === "number" ? key : String(key))

/** Puts an issue in a user's words: what was meant by an unknown name, which values there are. */
const explain = (json: unknown, path: ReadonlyArray<string | number>, message: string): string => {
  const last = path.at(-1)
  if (message === "Expected no excess property") {
    const members = membersAt(json, path.slice(0, -1))
    const [nearest] = [...members].sort((a, b) => distance(a, `${last}`) - distance(b, `${last}`))
    const known = nearest === undefined ? "" : ` (known: ${members.join(", ")})`
    return nearest !== undefined && distance(nearest, `${last}`) <= Math.max(2, nearest.length / 3)
      ? `unknown field "${last}"; did you mean "${nearest}"?`
      : `unknown field "${last}"${known}`
  }
  if (message === "Missing key") return "is required"
  // What a check of our own says is in a user's words already.
  if (!message.startsWith("Expected")) return message
  if (path.length > 0 && membersAt(json, path).length > 0 && !/(exactly|at least) one of/.test(message)) {
    return `must hold fields: ${membersAt(json, path).join(", ")} (write {} for none)`
  }
  const expected = expectedAt(json, path)
  if (message.includes("at least one of")) return message.replace(/^Expected /, "must have ")
  return expected === undefined ? message.replace(/^Expected /, "must be ") : `must be ${expected}`
}
