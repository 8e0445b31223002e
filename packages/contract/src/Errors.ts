import { Schema } from "effect"

/** The error body of most answers. */
export const ErrorResponse = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  correlation_id: Schema.optionalKey(Schema.NullOr(Schema.String)),
  retryable: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "ErrorResponse" })
export type ErrorResponse = typeof ErrorResponse.Type

/** One field the server refused: `loc` is the path to it, beginning with `body`, `query` or `path`. */
export const ValidationIssue = Schema.Struct({
  type: Schema.String,
  loc: Schema.Array(Schema.Union([Schema.String, Schema.Int])),
  msg: Schema.String
})
export type ValidationIssue = typeof ValidationIssue.Type

/** The body of a 422 that names fields. */
export const HTTPValidationError = Schema.Struct({ detail: Schema.Array(ValidationIssue) }).annotate({
  identifier: "HTTPValidationError"
})

/** The error body of `POST /v1/search` alone. */
export const SearchErrorResponse = Schema.Struct({
  error: Schema.String,
  message: Schema.String,
  details: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.Unknown)))
}).annotate({ identifier: "SearchErrorResponse" })

/** The request cannot be understood. */
export class BadRequest extends Schema.Error<BadRequest>("BadRequest")(ErrorResponse, { httpApiStatus: 400 }) {}
/** The key is missing or wrong. */
export class Unauthorized extends Schema.Error<Unauthorized>("Unauthorized")(ErrorResponse, { httpApiStatus: 401 }) {}
/** The balance does not cover the request. */
export class PaymentRequired extends Schema.Error<PaymentRequired>("PaymentRequired")(ErrorResponse, {
  httpApiStatus: 402
}) {}
/** There is no such job or webhook for this key. */
export class NotFound extends Schema.Error<NotFound>("NotFound")(ErrorResponse, { httpApiStatus: 404 }) {}
/** URL discovery took too long. */
export class MapTimedOut extends Schema.Error<MapTimedOut>("MapTimedOut")(ErrorResponse, { httpApiStatus: 408 }) {}
/** The job is in a state that forbids this. */
export class Conflict extends Schema.Error<Conflict>("Conflict")(ErrorResponse, { httpApiStatus: 409 }) {}
/** The request is well formed but refused: a plan limit, or a synchronous extraction that failed. */
export class Unprocessable extends Schema.Error<Unprocessable>("Unprocessable")(ErrorResponse, {
  httpApiStatus: 422
}) {}
/** Throttled, or too many requests at once. */
export class TooManyRequests extends Schema.Error<TooManyRequests>("TooManyRequests")(ErrorResponse, {
  httpApiStatus: 429
}) {}
/** The server broke. */
export class ServerFault extends Schema.Error<ServerFault>("ServerFault")(ErrorResponse, { httpApiStatus: 500 }) {}
/** This server does not offer the operation. */
export class NotImplemented extends Schema.Error<NotImplemented>("NotImplemented")(ErrorResponse, {
  httpApiStatus: 501
}) {}

/** Fields of the request are missing or wrong. */
export class ValidationFailed extends Schema.Error<ValidationFailed>("ValidationFailed")(HTTPValidationError, {
  httpApiStatus: 422
}) {}

/** The search gave nothing to return, `no_results` for one. */
export class SearchFailed extends Schema.Error<SearchFailed>("SearchFailed")(SearchErrorResponse, {
  httpApiStatus: 422
}) {}
/** The search engine blocked the request. */
export class SearchBlocked extends Schema.Error<SearchBlocked>("SearchBlocked")(SearchErrorResponse, {
  httpApiStatus: 502
}) {}
