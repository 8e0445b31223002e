import { makeRng, roll } from "@sluice/testkit"
import { workOf } from "../Work.ts"
import type { LakeShape } from "./Lake.ts"
import { type FanoutPoint, isRecurring, type Keeping, type SinkName, sinkNames } from "./points.ts"
import type { SceneOptions } from "./Scene.ts"

/** A death a process is to die, and what the makeRng make of the rest. */
export interface FanoutCase {
  readonly keeping: Keeping
  readonly point: FanoutPoint
  readonly seed: number
}

/** The settings of a case. */
export interface FanoutSetting extends SceneOptions {
  /** The how manieth time the point is met. */
  readonly nth: number
  /** Whether another run of the pipeline has ended before. */
  readonly isSecond: boolean
  /** A sink that takes nothing from the first process. */
  readonly down: SinkName | undefined
  /** Whether a further process is to die at the point. */
  readonly diesTwice: boolean
}

/** What the makeRng make of a case: the same ones, the same setting. */
export const settingOf = (what: string, { keeping, point, seed }: FanoutCase): FanoutSetting => {
  const next = makeRng(seed, what, keeping, point)
  const isSmall = roll(next, 4) === 0
  const lake: LakeShape = {
    where: roll(next, 3) === 0 ? "directory" : "s3",
    format: roll(next, 2) === 0 ? "jsonl" : "parquet",
    mode: roll(next, 2) === 0 ? "append" : "replace"
  }
  const pipeline = `${what}-${keeping}-${point}-${seed}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")
  return {
    keeping,
    lake,
    pipeline,
    ids: roll(next, 1_000_000_000),
    work: workOf("crawl", roll(next, 1000), isSmall ? { pages: 9 } : {}),
    segmentRecords: isSmall ? 4 : 15,
    nth: isRecurring(point) ? 1 + roll(next, isSmall ? 2 : 4) : 1,
    isSecond: roll(next, 3) === 0,
    down: roll(next, 3) === 0 ? sinkNames[roll(next, 2)] : undefined,
    diesTwice: roll(next, 2) === 0
  }
}

/** A setting in words, for whoever looks for what a case has in common with others. */
export const wordsOf = ({ down, isSecond, lake, segmentRecords }: FanoutSetting): string =>
  [
    ...Object.values(lake),
    `segments of ${segmentRecords}`,
    ...(isSecond ? ["a second run"] : []),
    ...(down === undefined ? [] : [`${down} down`])
  ].join(", ")
