import { randomUUID } from "node:crypto"
import {
  Conflict,
  NotFound,
  NotImplemented,
  PaymentRequired,
  TooManyRequests,
  Unauthorized,
  Unprocessable
} from "@sluice/contract"
import { Effect } from "effect"
import { HttpEffect, type HttpServerRequest, HttpServerResponse } from "effect/http"

/** The members of an error envelope, under a correlation id of its own. */
export const errorBody = (code: string, message: string, retryable = false) => ({
  code,
  message,
  correlation_id: randomUUID(),
  retryable
})

/** 401. */
export const unauthorized = () => new Unauthorized(errorBody("UNAUTHORIZED", "API key missing or invalid"))

/** 404 for a job that does not exist or belongs to another key: a caller cannot tell the two apart. */
export const noSuchJob = () => new NotFound(errorBody("NOT_FOUND", "No such job"))

/** 404 for a webhook, likewise. */
export const noSuchWebhook = () => new NotFound(errorBody("NOT_FOUND", "No such webhook"))

/** 409. */
export const invalidState = (message: string) => new Conflict(errorBody("INVALID_STATE", message))

/** 402. */
export const paymentRequired = (message: string) => new PaymentRequired(errorBody("PAYMENT_REQUIRED", message))

/** 422 of the envelope kind. */
export const unprocessable = (code: string, message: string, retryable = false) =>
  new Unprocessable(errorBody(code, message, retryable))

/** 501. */
export const notOffered = (operation: string) =>
  new NotImplemented(errorBody("NOT_IMPLEMENTED", `This server does not offer ${operation} yet`))

/** Fails with 429 and sets `Retry-After`. */
export const tooMany = (
  message: string,
  retryAfterSeconds: number
): Effect.Effect<never, TooManyRequests, HttpServerRequest.HttpServerRequest> =>
  Effect.andThen(
    HttpEffect.appendPreResponseHandler((_, response) =>
      Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", String(retryAfterSeconds)))
    ),
    Effect.fail(new TooManyRequests(errorBody("RATE_LIMITED", message, true)))
  )

/** An answer of the server itself, outside any endpoint. */
export const errorResponse = (status: number, code: string, message: string, retryable = false) =>
  HttpServerResponse.jsonUnsafe(errorBody(code, message, retryable), { status })
