import { Conflict, NotFound, NotImplemented, PaymentRequired, Unauthorized, Unprocessable } from "@sluice/contract"
import { DateTime, Duration, type Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import type { Fault } from "./Faults.ts"

const envelope = (code: string, message: string, retryable = false) => ({
  code,
  message,
  correlation_id: "00000000-0000-4000-8000-000000000000",
  retryable
})

/** 401. */
export const unauthorized = () => new Unauthorized(envelope("UNAUTHORIZED", "API key missing or invalid"))
/** 402. */
export const paymentRequired = () => new PaymentRequired(envelope("INSUFFICIENT_BALANCE", "The balance is too low"))
/** 404, also for a job the API does not know yet or any more. */
export const noSuchJob = () => new NotFound(envelope("NOT_FOUND", "No such job"))
/** 409. */
export const invalidState = (message: string) => new Conflict(envelope("INVALID_STATE", message))
/** 422 with the envelope. */
export const refused = (code: string, message: string) => new Unprocessable(envelope(code, message))
/** 501. */
export const notOffered: Effect.Effect<never, NotImplemented> = new NotImplemented(
  envelope("NOT_IMPLEMENTED", "The simulator does not offer this")
)

const page = "<!doctype html><html><body><h1>Service</h1></body></html>"

/** The page a proxy would send. */
export const htmlPage = (status: number) => HttpServerResponse.text(page, { status, contentType: "text/html" })

/** An error answer of the asked status and body. */
export const errorAnswer = (
  fault: Extract<Fault, { readonly _tag: "Status" }>,
  now: DateTime.Utc
): HttpServerResponse.HttpServerResponse => {
  const answer = bodyOf(fault)
  if (fault.retryAfter === undefined) return answer
  const { as, seconds } = fault.retryAfter
  const value =
    as === "seconds"
      ? String(seconds)
      : DateTime.toDateUtc(DateTime.addDuration(now, Duration.seconds(seconds))).toUTCString()
  return HttpServerResponse.setHeader(answer, "retry-after", value)
}

const bodyOf = ({ body = "envelope", status }: Extract<Fault, { readonly _tag: "Status" }>) => {
  switch (body) {
    case "empty":
      return HttpServerResponse.empty({ status })
    case "html":
      return htmlPage(status)
    case "search":
      return HttpServerResponse.jsonUnsafe({ error: "simulated", message: `Simulated ${status}` }, { status })
    case "validation":
      return HttpServerResponse.jsonUnsafe(
        { detail: [{ type: "value_error", loc: ["body", "url"], msg: `Simulated ${status}` }] },
        { status }
      )
    case "envelope":
      return HttpServerResponse.jsonUnsafe(
        envelope("SIMULATED", `Simulated ${status}`, status === 429 || status >= 500),
        {
          status
        }
      )
  }
}
