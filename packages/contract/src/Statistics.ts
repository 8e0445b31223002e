import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { DateRange } from "./Queries.ts"
import { Authorization, RequestValidation } from "./Security.ts"
import { Count, Timestamp } from "./Vocabulary.ts"

/** Aggregates of a date range, the last 30 days when none is given. Durations in milliseconds, rates from 0 to 1. */
export const Statistics = Schema.Struct({
  extraction_count: Count,
  previous_period_extraction_count: Count,
  success_rate: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
  average_extraction_duration: Schema.Finite,
  period_tokens_used: Count,
  requests: Schema.Array(
    Schema.Struct({ date: Timestamp, success_request_count: Schema.Int, failed_request_count: Schema.Int })
  ),
  tokens_used: Schema.Array(Schema.Struct({ date: Timestamp, tokens_used: Schema.Int }))
}).annotate({ identifier: "Statistics" })

/** Live concurrency against the plan's limit. The body is unpublished: any object is taken as it comes. */
export const Usage = Schema.Record(Schema.String, Schema.Unknown)

export class StatisticsApi extends HttpApiGroup.make("statistics")
  .add(
    HttpApiEndpoint.get("getStatistics", "/v1/statistics", { query: DateRange, success: Statistics }).annotate(
      OpenApi.Summary,
      "Aggregates of a date range, the last 30 days when none is given"
    ),
    HttpApiEndpoint.get("getUsage", "/v1/usage", { success: Usage }).annotate(
      OpenApi.Summary,
      "Live concurrency against the plan's limit"
    )
  )
  .middleware(RequestValidation)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Statistics", description: "Aggregates and live usage." })) {}
