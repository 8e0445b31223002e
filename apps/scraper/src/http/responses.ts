import { Cause, Effect } from "effect"
import {
  HttpIncomingMessage,
  HttpRouter,
  HttpServerError,
  HttpServerRequest,
  type HttpServerResponse
} from "effect/http"
import { stateFailed } from "../metrics/Metrics.ts"
import { StoreError } from "../state/Files.ts"
import { errorResponse } from "./errorResponse.ts"

/** Every route nobody else has: 404 with the envelope. */
export const UnknownRoute = HttpRouter.add(
  "*",
  "/*",
  Effect.sync(() => errorResponse(404, "NOT_FOUND", "No such route"))
)

/**
 * Gives the answers that no endpoint made, to faults and to bodies that cannot be read, the envelope. A body that is said
 * to be too large is not waited for.
 */
export const FaultResponses = HttpRouter.middleware(
  (httpEffect) =>
    Effect.flatMap(isTooLarge, (tooLarge) => (tooLarge ? Effect.succeed(tooLargeResponse()) : httpEffect)).pipe(
      Effect.catchDefect(faultOf),
      Effect.map((response) => (response.status === 415 ? withErrorBody(response) : response))
    ),
  { global: true }
)

const isTooLarge = Effect.gen(function* () {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const most = yield* HttpIncomingMessage.MaxBodySize
  return most !== undefined && Number(headers["content-length"] ?? 0) > Number(most)
})

const tooLargeResponse = () => errorResponse(413, "PAYLOAD_TOO_LARGE", "The body is too large")

const faultOf = Effect.fnUntraced(function* (defect: unknown) {
  if (defect instanceof StoreError) {
    yield* stateFailed
    yield* Effect.logError(`The state could not be used: ${defect.operation} failed`)
    return errorResponse(503, "UNAVAILABLE", "The server cannot write its state at present", true)
  }
  const cause = Cause.die(defect)
  const [response] = yield* HttpServerError.causeResponse(cause)
  if (response.status >= 500) yield* Effect.logDebug("A request failed", cause)
  return withErrorBody(response)
})

const withErrorBody = ({ status }: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  switch (status) {
    case 413:
      return tooLargeResponse()
    case 415:
      return errorResponse(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json")
    case 503:
      return errorResponse(503, "UNAVAILABLE", "The server is shutting down", true)
    default:
      return status < 500
        ? errorResponse(status, "BAD_REQUEST", "The request cannot be read")
        : errorResponse(500, "INTERNAL_ERROR", "The server broke", true)
  }
}
