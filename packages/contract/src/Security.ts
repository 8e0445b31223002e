import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import {
  NotImplemented,
  ServerFault,
  TooManyRequests,
  Unauthorized,
  Unprocessable,
  ValidationFailed
} from "./Errors.ts"

/** Who calls: a stable name for the key, never the key itself. Jobs belong to it. */
export class Caller extends Context.Service<Caller, { readonly id: string }>()("@sluice/contract/Security/Caller") {}

/** The key of every call but `GET /health`, in the header `X-Api-Key`. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: Caller }>()(
  "@sluice/contract/Security/Authorization",
  {
    security: { ApiKeyAuth: HttpApiSecurity.apiKey({ key: "X-Api-Key", in: "header" }) },
    error: [Unauthorized, TooManyRequests]
  }
) {}

/** Turns a request that does not fit its schema into the 422 body that names the fields. */
export class RequestValidation extends HttpApiMiddleware.Service<RequestValidation>()(
  "@sluice/contract/Security/RequestValidation",
  { error: [ValidationFailed, Unprocessable, ServerFault, NotImplemented] }
) {}
