import { type FaultTiming, RulePlan } from "./RulePlan.ts"

/** The bodies an error answer can have. `html` is a page, as a proxy in between would send. */
export type ErrorBody = "envelope" | "validation" | "search" | "empty" | "html"

/** What can go wrong with one request. Where a handler runs first, its effect remains: a job is made, a poll has passed. */
export type Fault =
  /** An error answer instead of the handler's. `retryAfter` is in seconds, as a number or as a date that far ahead. */
  | {
      readonly _tag: "Status"
      readonly status: number
      readonly body?: ErrorBody
      readonly retryAfter?: { readonly as: "seconds" | "date"; readonly seconds: number }
    }
  /** The connection is reset before the handler runs. */
  | { readonly _tag: "Reset" }
  /** The handler runs; its answer is lost with the connection. */
  | { readonly _tag: "Lost" }
  /** The handler runs; half of its body arrives, then the connection breaks. */
  | { readonly _tag: "Truncated" }
  /** The handler runs; its answer comes late, */
  | { readonly _tag: "Slow"; readonly millis: number }
  /** or in so many pieces, with a pause before each, */
  | { readonly _tag: "Dripping"; readonly pieces: number; readonly millis: number }
  /** or its headers come, and its body never. */
  | { readonly _tag: "Stalled" }
  /** A page of HTML with 200 instead of the handler's answer. */
  | { readonly _tag: "Html" }
  /** The handler's answer with members of the wrong type. */
  | { readonly _tag: "WrongTypes" }
  /** The handler's answer under the id of another job. */
  | { readonly _tag: "OtherJob" }
  /** The handler's answer, followed by so many bytes that mean nothing. */
  | { readonly _tag: "Huge"; readonly bytes: number }
  /** A redirect to another address. */
  | { readonly _tag: "Redirect"; readonly location: string }

/** When a fault is played. Every given condition must hold. */
export interface FaultRule extends FaultTiming {
  readonly fault: Fault
  readonly method?: "GET" | "POST" | "DELETE"
  /** The beginning of the path, such as `/v1/crawl`. */
  readonly path?: string
}

/** The faults still to come. The first rule that applies to a request is played. */
export class FaultPlan extends RulePlan<FaultRule> {
  /** @internal The fault of a request, if it has one. */
  take(method: string, path: string): Fault | undefined {
    return this.next(
      (rule) =>
        (rule.method === undefined || rule.method === method) && (rule.path === undefined || path.startsWith(rule.path))
    )?.fault
  }
}
