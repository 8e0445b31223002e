import { Effect, Schema } from "effect"
import { DriftPolicy } from "../record/Drift.ts"
import { Transform, TransformConfig } from "../record/Transform.ts"
import type { Sink } from "../sink/Sink.ts"
import { Source } from "../source/Source.ts"
import { Budget } from "./Budget.ts"
import { ConfigInvalid, configJsonSchema, decodeConfig } from "./ConfigInvalid.ts"
import { conflictsIn } from "./conflictsIn.ts"
import { Expectations } from "./Expectations.ts"
import { makePipeline, type PipelineDefinition, PipelineName } from "./makePipeline.ts"
import { OrphanPolicy } from "./OrphanPolicy.ts"
import { Quarantine } from "./Quarantine.ts"
import { WaitMinutes, WhenRunning } from "./WhenRunning.ts"

/** A kind of sink as pipeline files know it: the schema of its options, and how decoded options become a sink. */
export interface SinkFactory<A> {
  readonly kind: string
  readonly schema: Schema.Codec<A, unknown>
  // A method, so that factories of several kinds make one list: each is only given what its own schema has decoded.
  make(options: A): Sink
}

/** The kinds of sink a file may name. */
export type SinkFactories = ReadonlyArray<SinkFactory<unknown>>

const AllowShrink = Schema.Boolean.annotate({
  description:
    "Publish a run also where it leaves readers of a sink in mode replace or history with fewer than half of the pages they have."
})

/** The schema of a pipeline file whose sinks are of the given kinds, with the further members a program of yours reads. */
export const pipelineSchema = <const Further extends Schema.Struct.Fields>(
  factories: SinkFactories,
  further: Further
) => {
  const kinds = factories.map(({ kind }) => kind)
  const sink = Schema.Struct(
    Object.fromEntries(factories.map(({ kind, schema }) => [kind, Schema.optionalKey(schema)]))
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
    orphans: Schema.optionalKey(OrphanPolicy),
    when_running: Schema.optionalKey(WhenRunning),
    wait_minutes: Schema.optionalKey(WaitMinutes),
    sinks: Schema.Array(sink).check(Schema.isMinLength(1, { expected: "at least one sink" }))
  }).annotate({ title: "Sluice pipeline" })
}

/** The JSON Schema of a pipeline file, for editors. */
export const pipelineJsonSchema = (factories: SinkFactories, further: Schema.Struct.Fields = {}) =>
  configJsonSchema(pipelineSchema(factories, further))

const plainSchema = (factories: SinkFactories) => pipelineSchema(factories, {})

/** A configuration that has been decoded. */
export type PipelineConfig = ReturnType<typeof plainSchema>["Type"]

/** The pipeline a configuration describes, or everything that is wrong with it. */
export const pipelineFromConfig = (
  config: unknown,
  factories: SinkFactories
): Effect.Effect<PipelineDefinition, ConfigInvalid> =>
  Effect.flatMap(decodeConfig(plainSchema(factories), config), (decoded) => pipelineOf(decoded, factories))

/** The pipeline of a configuration that has been decoded; refuses what makes no sense together. */
export const pipelineOf = Effect.fnUntraced(function* (
  config: PipelineConfig,
  factories: SinkFactories
): Effect.fn.Return<PipelineDefinition, ConfigInvalid> {
  const [conflict, ...others] = conflictsIn(config)
  if (conflict !== undefined) return yield* new ConfigInvalid({ issues: [conflict, ...others] })
  const sinks = config.sinks.flatMap((entry) =>
    factories.filter(({ kind }) => kind in entry).map((factory) => factory.make(entry[factory.kind]))
  )
  const twice = sinks.findIndex((sink, index) => sinks.findIndex(({ name }) => name === sink.name) < index)
  if (twice >= 0) {
    const message = `there is another sink named "${sinks[twice]!.name}": give one of them a name`
    return yield* new ConfigInvalid({ issues: [{ path: ["sinks", twice], message }] })
  }
  // By name: what further members hold is no business of ours, whatever they are called.
  const {
    allow_shrink,
    budget,
    drift,
    expect,
    name,
    orphans,
    quarantine,
    source,
    transforms = [],
    wait_minutes,
    when_running
  } = config
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
    orphans,
    when_running,
    wait_minutes
  })
})
