import { Schema } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { canonicalHash } from "../record/canonicalJson.ts"
import { DriftPolicy } from "../record/Drift.ts"
import type { Transform } from "../record/Transform.ts"
import type { Sink } from "../sink/Sink.ts"
import { Source } from "../source/Source.ts"
import type { Vault } from "../vault/Vault.ts"
import type { Budget } from "./Budget.ts"
import type { Expectations } from "./Expectations.ts"
import type { OrphanPolicy } from "./OrphanPolicy.ts"
import { Quarantine, standardQuarantine } from "./Quarantine.ts"
import { type Overlap, overlapOf, type WhenRunning } from "./WhenRunning.ts"

/** What runs are listed and loaded under: letters, digits, `_` and `-`, at most 63. */
export const PipelineName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, {
    expected: "a name of letters, digits, _ and -, at most 63 characters"
  })
)

/** What is crawled, what is done with it, and where it goes, as one value. Holds no connection and no secret of its own. */
export interface PipelineDefinition {
  readonly name: string
  readonly source: Source
  readonly transforms: ReadonlyArray<Transform>
  readonly sinks: NonEmptyReadonlyArray<Sink>
  /** What it may cost at most. */
  readonly budget: Budget | undefined
  readonly drift: DriftPolicy
  /** How much of a run may become dead letters before it is not published. */
  readonly quarantine: Quarantine
  /** What a run must have come to before it is published. */
  readonly expect: Expectations | undefined
  /** Whether a run may be published that leaves readers with fewer than half of the pages they have. */
  readonly allowShrink: boolean
  /** When jobs are looked for that no run explains; where the ledger may be younger than the truth if absent. */
  readonly orphans: OrphanPolicy | undefined
  /** Where the API's answers are kept; nowhere where there is none. */
  readonly vault: Vault | undefined
  /** What becomes of a run while another process carries one out. */
  readonly overlap: Overlap
  /**
   * SHA-256 in hex over what the pipeline does: name, source, transforms, and of the sinks kind, name and behaviour, but no
   * address, no secret, no budget, no vault and no policy (drift, quarantine, expectations, allow_shrink, orphans, overlap): a run that did not end
   * goes on under those of the day. Written in YAML, JSON or TypeScript, the same pipeline has the same hash.
   */
  readonly hash: string
}

/** Bumped when the same pipeline means something else. */
const hashVersion = 1

const encodeSource = Schema.encodeSync(Source)
const decodeDrift = Schema.decodeSync(DriftPolicy)
const decodeQuarantine = Schema.decodeSync(Quarantine)
const decodeName = Schema.decodeSync(PipelineName)

/** Puts a pipeline together. Throws on a name or a policy that is none, no sink, or two sinks of one name. */
export const makePipeline = (parts: {
  readonly name: string
  readonly source: Source
  readonly transforms?: ReadonlyArray<Transform>
  readonly sinks: ReadonlyArray<Sink>
  readonly budget?: Budget | undefined
  readonly drift?: DriftPolicy | undefined
  readonly quarantine?: typeof Quarantine.Encoded | undefined
  readonly expect?: Expectations | undefined
  readonly allow_shrink?: boolean | undefined
  readonly orphans?: OrphanPolicy | undefined
  readonly vault?: Vault | undefined
  readonly when_running?: WhenRunning | undefined
  readonly wait_minutes?: number | undefined
}): PipelineDefinition => {
  const { allow_shrink: allowShrink = false, budget, drift = "keep", expect, name, sinks, source, vault } = parts
  const { orphans, quarantine = standardQuarantine, transforms = [] } = parts
  const [first, ...others] = sinks
  if (first === undefined) throw new Error(`pipeline "${name}" has no sink: give it at least one`)
  const twice = sinks.find((sink, index) => sinks.findIndex((other) => other.name === sink.name) < index)
  if (twice !== undefined) throw new Error(`pipeline "${name}" has two sinks named "${twice.name}": name one of them`)
  return {
    name: decodeName(name),
    source,
    transforms,
    sinks: [first, ...others],
    budget,
    drift: decodeDrift(drift),
    quarantine: decodeQuarantine(quarantine),
    expect,
    allowShrink,
    orphans,
    vault,
    overlap: overlapOf(parts),
    hash: canonicalHash({
      version: hashVersion,
      name,
      source: encodeSource(source),
      transforms: transforms.map((transform) => transform.config),
      sinks: sinks.map((sink) => ({ kind: sink.kind, name: sink.name, behaviour: sink.behaviour }))
    })
  }
}
