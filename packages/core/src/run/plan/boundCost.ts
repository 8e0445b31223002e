import type { PipelineDefinition } from "../../pipeline/makePipeline.ts"
import { describeRemaining, leastOf, type RemainingBudget } from "../submit/RemainingBudget.ts"
import type { OpenCost } from "./openCost.ts"
import type { PlannedCost } from "./Plan.ts"

type Bound = Omit<PlannedCost, "last">

/** The most tokens that a run can cost from now on, by what it asks for and what its budget leaves. */
export const boundCost = (
  { budget, source }: Pick<PipelineDefinition, "budget" | "source">,
  cost: OpenCost,
  shares: ReadonlyArray<RemainingBudget>
): Bound => {
  const { asked, charged, further, hasLost, unasked } = cost
  const wanted = further === undefined ? unasked.reduce((sum, { tokens }) => sum + tokens, 0) : undefined
  if (wanted === 0)
    return { most: asked, because: asked > 0 ? "the jobs it has submitted" : whyNothing(unasked.length) }
  const least = leastOf(shares)
  // What a submission without an answer was granted is not kept back for it once it is found.
  const taken = charged + (hasLost ? 0 : asked)
  const left = least === undefined ? undefined : Math.max(0, least.tokens - taken)
  // Without the clamp a job is cancelled only once its counters have passed the budget.
  const isCut = budget?.clamp !== false
  if (left === 0) return { most: asked, because: `the budget is used up: ${describeRemaining(least!)}` }
  if (left !== undefined && isCut && (wanted === undefined || left < wanted)) {
    return { most: asked + left, because: `the budget: ${describeRemaining(least!)}` }
  }
  if (wanted === undefined) {
    const why = "how many pages the map finds is not known before it is asked"
    return budget !== undefined && !isCut
      ? { most: null, because: `${why}, and a budget with clamp: false cuts nothing`, setting: "budget.clamp: true" }
      : { most: null, because: why, setting: "budget.tokens" }
  }
  const most = asked + wanted
  return source.crawl === undefined
    ? { most, because: "a token for each URL" }
    : { most, ...boundOfCrawl(source.crawl) }
}

const whyNothing = (submissions: number): string => (submissions === 0 ? "nothing is submitted" : "a map costs nothing")

const boundOfCrawl = ({ depth, limit }: { readonly depth?: number; readonly limit?: number }): Omit<Bound, "most"> => {
  if (depth === 1) return { because: "source.crawl.depth: 1" }
  return limit === undefined
    ? { because: "the largest crawl that the API takes", setting: "source.crawl.limit" }
    : { because: "source.crawl.limit" }
}
