import { Schema } from "effect"
import { type RequirableField, requirableFields, type Tally } from "../record/Tally.ts"

const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/**
 * What a run must bring before it is published. `min_pages` counts the completed pages that each sink holds, `max_failed_share`
 * is of all the crawl's pages that completed or failed, transforms or not. Of the completed pages a sink holds, `required_share`
 * (all of them when absent) must have each of the `required` fields: not null, not empty. Dead letters count as no page.
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
        share === undefined || required !== undefined || { path: ["required_share"], issue: "needs expect.required" }
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
  of: Schema.NullOr(Schema.Int),
  /** The sink that was judged, in a pipeline of several. */
  sink: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return this.sink === undefined ? describe(this) : `${describe(this)} (sink "${this.sink}")`
  }
}

const describe = ({ bound, expectation, field, found, of }: ExpectationFailed): string => {
  switch (expectation) {
    case "min_pages":
      return `expectation min_pages: at least ${bound} completed pages were expected, and there are ${found}`
    case "max_failed_share":
      return `expectation max_failed_share: at most ${bound} of the pages may fail, and ${found} of ${of} did`
    case "required":
      if (of === 0) return `expectation required: ${field} was expected, and there is no completed page`
      return `expectation required: ${field} was expected in ${bound === 1 ? "all" : bound} of the completed pages, and ${found} of ${of} hold it`
  }
}

/** What a run has come to in a sink. */
export interface Findings {
  /** The API's counts. */
  readonly pages: { readonly completed: number; readonly failed: number }
  /** Ours, of what the sink was given. */
  readonly tally: Tally
  /** Named where the pipeline has several. */
  readonly sink?: string
}

/** The first expectation that is not met. */
export const findUnmet = (expect: Expectations, { pages, sink, tally }: Findings): ExpectationFailed | undefined => {
  const { max_failed_share: maxFailedShare, min_pages: minPages, required = [], required_share: share = 1 } = expect
  const of = sink === undefined ? {} : { sink }
  if (minPages !== undefined && tally.completed < minPages) {
    const counts = { bound: minPages, found: tally.completed, of: null }
    return new ExpectationFailed({ expectation: "min_pages", field: null, ...counts, ...of })
  }
  // A page whose submission was lost failed in no job's counters.
  const failed = Math.max(pages.failed - tally.quarantined_failed, tally.failed)
  const ended = Math.max(pages.completed - tally.quarantined_completed, tally.completed) + failed
  if (maxFailedShare !== undefined && failed > maxFailedShare * ended) {
    const counts = { bound: maxFailedShare, found: failed, of: ended }
    return new ExpectationFailed({ expectation: "max_failed_share", field: null, ...counts, ...of })
  }
  const holding = (field: RequirableField) => tally.completed - tally[`without_${field}`]
  const lacking = required.find((field) => tally.completed === 0 || holding(field) < share * tally.completed)
  if (lacking === undefined) return undefined
  const counts = { bound: share, found: holding(lacking), of: tally.completed }
  return new ExpectationFailed({ expectation: "required", field: lacking, ...counts, ...of })
}
