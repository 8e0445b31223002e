import { Effect, type Scope } from "effect"
import type { Ledger, LedgerError } from "../../ledger/Ledger.ts"
import { makeLedgerMemory } from "../../ledger/LedgerMemory.ts"
import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import type { PageRecord } from "../../record/PageRecord.ts"
import type { SinkConnection } from "../../sink/Sink.ts"
import type { SinkError } from "../../sink/SinkError.ts"
import { samplePages } from "../../source/samplePages.ts"

/** The connected sinks of a pipeline, and the ledger of its runs. */
export interface ConnectedSinks {
  readonly connections: ReadonlyArray<{
    readonly name: string
    readonly kind: string
    readonly connection: SinkConnection
  }>
  readonly ledger: Ledger
  /** Whether the ledger outlives the process, as far as that is known here. */
  readonly isKept: boolean
}

/** Connects the sinks of a pipeline and opens the ledger of its runs: the given one, else a sink's own, else memory. */
export const connectSinks = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  given: Ledger | undefined
): Effect.fn.Return<ConnectedSinks, SinkError, Scope.Scope> {
  const connections: Array<ConnectedSinks["connections"][number]> = []
  for (const sink of pipeline.sinks) {
    connections.push({ name: sink.name, kind: sink.kind, connection: yield* sink.connect })
  }
  for (const { connection } of connections) yield* connection.admit?.(pipeline.name) ?? Effect.void
  const own = connections.find(({ connection }) => connection.ledger !== undefined)?.connection.ledger
  const kept = given ?? own
  return { connections, ledger: kept ?? makeLedgerMemory(), isKept: kept !== undefined }
})

/** Tries every store that the run will write to. Each rolls back what it wrote. */
export const dryLoad = Effect.fnUntraced(function* (
  pipeline: PipelineDefinition,
  { connections, ledger }: ConnectedSinks
): Effect.fn.Return<void, SinkError | LedgerError> {
  const planned = { pipeline: pipeline.name, samples: transformedSamples(pipeline) }
  yield* ledger.dryRun?.(pipeline.name) ?? Effect.void
  for (const { connection } of connections) yield* connection.dryLoad?.(planned) ?? Effect.void
})

/** Sample pages as the transforms leave them. One that a transform skips stands for those that it keeps. */
const transformedSamples = ({ source, transforms }: PipelineDefinition): ReadonlyArray<PageRecord> =>
  samplePages(source).map((sample) =>
    transforms.reduce<PageRecord>((record, transform) => transform.apply(record) ?? record, sample)
  )
