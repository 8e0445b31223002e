import type { TransformConfig } from "../record/Transform.ts"
import type { Source } from "../source/Source.ts"
import type { PageBound } from "../source/SourceKind.ts"
import { boundSource } from "../source/sourceKinds.ts"
import type { Budget } from "./Budget.ts"
import type { ConfigIssue } from "./ConfigInvalid.ts"
import type { Expectations } from "./Expectations.ts"
import type { WhenRunning } from "./WhenRunning.ts"

/** The members of a pipeline that can contradict each other. */
export interface Parts {
  readonly source: Source
  readonly transforms?: ReadonlyArray<typeof TransformConfig.Type> | undefined
  readonly budget?: Budget | undefined
  readonly expect?: Expectations | undefined
  readonly when_running?: WhenRunning | undefined
  readonly wait_minutes?: number | undefined
}

/** What of a pipeline can never succeed, though each part makes sense alone. Nothing has been paid for when it is found. */
export const conflictsIn = (parts: Parts): ReadonlyArray<ConfigIssue> => [
  ...waiting(parts),
  ...selecting(parts),
  ...tooManyExpected(parts),
  ...requiredAndAbsent(parts)
]

const waiting = ({ wait_minutes, when_running }: Parts): ReadonlyArray<ConfigIssue> =>
  wait_minutes !== undefined && when_running !== "wait"
    ? [{ path: ["wait_minutes"], message: "needs when_running: wait" }]
    : []

/** Steps that together keep no page. */
const selecting = ({ transforms = [] }: Parts): ReadonlyArray<ConfigIssue> => {
  const at = transforms.findIndex((_, index) => statusesAfter(transforms.slice(0, index + 1)).size === 0)
  return at < 0
    ? []
    : [{ path: ["transforms", at, "select", "status"], message: "keeps no page that an earlier select has kept" }]
}

const statuses = ["completed", "failed", "cancelled"] as const

/** The statuses a page can have behind the steps. */
const statusesAfter = (transforms: Parts["transforms"] = []): ReadonlySet<string> =>
  new Set(statuses.filter((status) => transforms.every(({ select }) => select?.status?.includes(status) ?? true)))

/** More completed pages are expected than there can be. */
const tooManyExpected = (parts: Parts): ReadonlyArray<ConfigIssue> => {
  const minPages = parts.expect?.min_pages
  if (minPages === undefined) return []
  const path = ["expect", "min_pages"]
  if (!statusesAfter(parts.transforms).has("completed")) {
    return [{ path, message: "can never be met: transforms keep no completed page" }]
  }
  const [most, why] = [...boundSource(parts.source).pageBounds(), ...mostOfBudget(parts)].reduce((least, bound) =>
    bound[0] < least[0] ? bound : least
  )
  return minPages > most
    ? [{ path, message: `can never be met: ${why} allows at most ${most} ${most === 1 ? "page" : "pages"}` }]
    : []
}

const tokenBounds = ["tokens", "per_day", "per_month", "per_pipeline"] as const

/** A completed page costs a token, and a run ends where its budget does. A map alone is free. */
const mostOfBudget = ({ budget, source }: Parts): ReadonlyArray<PageBound> =>
  tokenBounds.flatMap((bound): ReadonlyArray<PageBound> => {
    const tokens = budget?.[bound]
    return tokens === undefined || !boundSource(source).hasContent() ? [] : [[tokens, `budget.${bound}`]]
  })

/** Members that are required of every page, and which no page can have. */
const requiredAndAbsent = ({ expect, source, transforms = [] }: Parts): ReadonlyArray<ConfigIssue> => {
  if (expect?.required === undefined || expect.required_share === 0) return []
  const dropped = transforms.flatMap(({ drop }) => drop ?? [])
  return expect.required.flatMap((field, index) => {
    const why = dropped.includes(field === "http_status" ? "metadata" : field)
      ? "transforms drop it"
      : boundSource(source).whyAbsent(field)
    return why === undefined
      ? []
      : [{ path: ["expect", "required", index], message: `can never be met: no page has ${field}, since ${why}` }]
  })
}
