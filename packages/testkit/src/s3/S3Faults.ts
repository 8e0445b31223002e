import type { Fault } from "../simulator/Faults.ts"
import { type FaultTiming, RulePlan } from "../simulator/RulePlan.ts"
import type { S3Operation } from "./Operations.ts"

/**
 * What can go wrong with one request: faults of the simulator's with an answer as S3 writes it. With `Lost`, `Truncated`,
 * `Slow` and `Stalled` the request has had its effect. An answer without a body is cut off, or held back, in its headers.
 */
export type S3Fault =
  /** An error answer; the request has no effect. `code` is the usual one of the status unless given, `retryAfter` in seconds. */
  | { readonly _tag: "Status"; readonly status: number; readonly code?: string; readonly retryAfter?: number }
  /** 200 with an error as the body, as CompleteMultipartUpload and CopyObject may answer; the request has no effect. */
  | { readonly _tag: "ErrorInside"; readonly code?: string }
  | Extract<Fault, { readonly _tag: "Reset" | "Lost" | "Truncated" | "Slow" | "Stalled" }>

/** Which requests a fault is for, and when it is played. Every given condition must hold. */
export interface S3FaultRule extends FaultTiming {
  readonly fault: S3Fault
  readonly operation?: S3Operation
  /** The beginning of the key. */
  readonly key?: string
}

/** The faults still to come. The first rule that applies to a request is played. */
export class S3FaultPlan extends RulePlan<S3FaultRule> {
  /** @internal The fault of a request, if it has one. */
  take(operation: S3Operation | undefined, key: string): S3Fault | undefined {
    return this.next(
      (rule) =>
        (rule.operation === undefined || rule.operation === operation) &&
        (rule.key === undefined || key.startsWith(rule.key))
    )?.fault
  }
}

/** The code S3 answers most with a status. */
export const usualCode = (status: number): string =>
  codes[status] ?? (status >= 500 ? "InternalError" : "InvalidRequest")

const codes: Readonly<Record<number, string>> = {
  403: "AccessDenied",
  404: "NoSuchKey",
  409: "ConditionalRequestConflict",
  412: "PreconditionFailed",
  429: "SlowDown",
  500: "InternalError",
  501: "NotImplemented",
  503: "SlowDown"
}
