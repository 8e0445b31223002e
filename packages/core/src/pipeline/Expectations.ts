import { Schema } from "effect"
import { type RequirableField, requirableFields, type Tally } from "../record/Tally.ts"

const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/**
 * What a run must have come to before it is published. `min_pages` counts the completed pages that were delivered to the
 * sinks, `max_failed_share` is of all the crawl's pages that completed or failed, transforms or not. Of the completed pages
 * delivered, `required_share` (all of them when absent) must hold each of the `required` fields: not null, not empty.
 */
export const Expectations = Schema.Struct({
  min_pages: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
  max_failed_share: Schema.optionalKey(Share),
  required: Schema.optionalKey(Schema.Array(Schema.Literals(requirableFields)).check(Schema.isMinLength(1))),
  required_share: Schema.optionalKey(Share)
})
  .check(
    Schema.makeFilter(({ required_share: _, ...given }) => Object.keys(given).length > 0, {
      expected: "at least one of min_pages, max_failed_share and required"
    }),
    Schema.makeFilter(
      ({ required, required_share: share }) =>
        share === undefined || required !== undefined || { path: ["required_share"], issue: "goes with required alone" }
    )
  )
  .annotate({ identifier: "Expectations", description: "What a run must have come to before it is published." })
export type Expectations = typeof Expectations.Type

/** An expectation of the pipeline the run has not met. It has ended for good, and was not published. */
export class ExpectationFailed extends Schema.TaggedError<ExpectationFailed>()("ExpectationFailed", {
  /** Its name in a pipeline file. */
  expectation: Schema.Literals(["min_pages", "max_failed_share", "required"]),
  /** The field that is required. */
  field: Schema.NullOr(Schema.Literals(requirableFields)),
  bound: Schema.Finite,
  found: Schema.Finite,
  /** What the share found is of. */
  of: Schema.NullOr(Schema.Int)
}) {
  override get message(): string {
    return describe(this)
  }
}

const describe = ({ bound, expectation, field, found, of }: ExpectationFailed): string => {
  switch (expectation) {
    case "min_pages":
      return `expectation min_pages: at least ${bound} completed pages were expected, and there are ${found}`
    case "max_failed_share":
      return `expectation max_failed_share: at most ${bound} of the pages may fail, and ${found} of ${of} did`
    case "required":
      return `expectation required: ${field} was expected in ${bound === 1 ? "all" : bound} of the completed pages, and ${found} of ${of} hold it`
  }
}

/** What a run has come to. */
export interface Findings {
  /** The API's counts. */
  readonly pages: { readonly completed: number; readonly failed: number }
  /** Ours, of what a sink was given. */
  readonly tally: Tally
}

/** The first expectation that is not met. */
export const findUnmet = (expect: Expectations, { pages, tally }: Findings): ExpectationFailed | undefined => {
  const { max_failed_share: maxFailedShare, min_pages: minPages, required = [], required_share: share = 1 } = expect
  if (minPages !== undefined && tally.completed < minPages) {
    const counts = { bound: minPages, found: tally.completed, of: null }
    return new ExpectationFailed({ expectation: "min_pages", field: null, ...counts })
  }
  // A page whose submission was lost failed in no job's counters.
  const failed = Math.max(pages.failed, tally.failed)
  const ended = pages.completed + failed
  if (maxFailedShare !== undefined && failed > maxFailedShare * ended) {
    const counts = { bound: maxFailedShare, found: failed, of: ended }
    return new ExpectationFailed({ expectation: "max_failed_share", field: null, ...counts })
  }
  const holding = (field: RequirableField) => tally.completed - tally[`without_${field}`]
  const lacking = required.find((field) => holding(field) < share * tally.completed)
  if (lacking === undefined) return undefined
  const counts = { bound: share, found: holding(lacking), of: tally.completed }
  return new ExpectationFailed({ expectation: "required", field: lacking, ...counts })
}
