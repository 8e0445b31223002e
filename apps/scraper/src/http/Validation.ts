import { RequestValidation, ServerFault, ValidationFailed, type ValidationIssue } from "@sluice/contract"
import { Effect, type Layer, SchemaIssue } from "effect"
import { type HttpApiError, HttpApiMiddleware } from "effect/http-api"
import { errorBody } from "./errorResponse.ts"

/** Answers a request that does not fit its schema with the 422 body that names the fields. */
export const ValidationLayer: Layer.Layer<RequestValidation> = HttpApiMiddleware.layerSchemaErrorTransform(
  RequestValidation,
  (error) =>
    error.kind === "Body" || error.kind === "ResponseHeaders"
      ? Effect.andThen(
          Effect.logDebug("An answer does not fit its schema", error.cause),
          Effect.fail(new ServerFault(errorBody("INTERNAL_ERROR", "The server broke", true)))
        )
      : Effect.fail(new ValidationFailed({ detail: issuesOf(error) }))
)

const places: Readonly<Record<string, string>> = {
  Params: "path",
  Query: "query",
  Headers: "header",
  Payload: "body"
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const issuesOf = (error: HttpApiError.HttpApiSchemaError): ReadonlyArray<ValidationIssue> =>
  format(error.cause.issue).issues.map(({ message, path }) => {
    const keys = (path ?? []).map((segment) => (typeof segment === "object" ? segment.key : segment))
    const loc = [places[error.kind] ?? "body", ...keys.map((key) => (typeof key === "number" ? key : String(key)))]
    return { type: typeOf(message), loc, msg: message === "Missing key" ? "Field required" : message }
  })

const typeOf = (message: string): string => {
  if (message === "Missing key") return "missing"
  return message === "Expected a valid JSON body" ? "json_invalid" : "value_error"
}
