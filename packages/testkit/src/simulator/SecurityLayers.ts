import { Authorization, Caller, RequestValidation, ServerFault, ValidationFailed } from "@sluice/contract"
import { Effect, Layer, Redacted, SchemaIssue } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
import { unauthorized } from "./answers.ts"
import { SimulatedApi } from "./SimulatedApi.ts"

/** Lets the one key in, as `X-Api-Key` or as a bearer token. */
export const KeyCheck: Layer.Layer<Authorization, never, SimulatedApi> = Layer.effect(
  Authorization,
  Effect.map(SimulatedApi, ({ charges, options }) =>
    Authorization.of({
      ApiKeyAuth: Effect.fnUntraced(function* (httpEffect, { credential }) {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        const { authorization } = headers
        const accepts = options.behaves?.accepts ?? ["x-api-key", "bearer"]
        const isPlain = accepts.includes("x-api-key") && Redacted.value(credential) === options.apiKey
        const isBearer = accepts.includes("bearer") && authorization === `Bearer ${options.apiKey}`
        if (!isPlain && !isBearer) {
          charges.unauthorized++
          return yield* unauthorized()
        }
        return yield* Effect.provideService(httpEffect, Caller, { id: "simulated" })
      })
    })
  )
)

const places: Readonly<Record<string, string>> = { Params: "path", Query: "query", Headers: "header", Payload: "body" }

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** Answers a request that does not fit the contract with the 422 body that names the fields. */
export const FieldCheck: Layer.Layer<RequestValidation> = HttpApiMiddleware.layerSchemaErrorTransform(
  RequestValidation,
  (error) =>
    error.kind === "Body" || error.kind === "ResponseHeaders"
      ? Effect.fail(
          new ServerFault({ code: "SIMULATOR_BROKE", message: "The simulator's answer does not fit the contract" })
        )
      : Effect.fail(
          new ValidationFailed({
            detail: format(error.cause.issue).issues.map(({ message, path = [] }) => ({
              type: message === "Missing key" ? "missing" : "value_error",
              loc: [
                places[error.kind] ?? "body",
                ...path.map((part) => {
                  const key = typeof part === "object" ? part.key : part
                  return typeof key === "number" ? key : String(key)
                })
              ],
              msg: message === "Missing key" ? "Field required" : message
            }))
          })
        )
)
