import type { FaultRule } from "./Faults.ts"

/** How often something goes wrong with a request, 0 to 1 each. A submission is throttled or its answer lost, nothing else. */
export interface FaultRates {
  /** Answered with 429 and `Retry-After: 0`. */
  readonly throttled: number
  /** A read answered with 503, 502 or 500. */
  readonly broken: number
  /** A read whose connection is reset. */
  readonly reset: number
  /** A read whose body breaks off half-way. */
  readonly truncated: number
  /** A read whose answer comes late, */
  readonly slow: number
  /** or comes in small pieces, one after the other. */
  readonly dripping: number
  /** A submission that takes effect and whose answer is lost. */
  readonly lostPost: number
}

const none: FaultRates = {
  throttled: 0,
  broken: 0,
  reset: 0,
  truncated: 0,
  slow: 0,
  dripping: 0,
  lostPost: 0
}

/** Named rates: nothing goes wrong, what a good day under load brings, what a bad one does. */
export const faultProfiles = {
  calm: none,
  busy: { ...none, throttled: 0.05, broken: 0.02, slow: 0.05 },
  hostile: {
    throttled: 0.08,
    broken: 0.06,
    reset: 0.05,
    truncated: 0.05,
    slow: 0.05,
    dripping: 0.03,
    lostPost: 0.2
  }
} as const satisfies Record<string, FaultRates>

/** The rules that play faults at these rates, as a simulator takes them. */
export const faultRules = (rates: Partial<FaultRates>, slowMillis = 50): ReadonlyArray<FaultRule> => {
  const { broken, dripping, lostPost, reset, slow, throttled, truncated } = { ...none, ...rates }
  const path = "/v1/"
  const read = { path, method: "GET" } as const
  const rules: ReadonlyArray<FaultRule & { readonly probability: number }> = [
    {
      path,
      probability: throttled,
      fault: { _tag: "Status", status: 429, retryAfter: { as: "seconds", seconds: 0 } }
    },
    ...[503, 502, 500].map((status) => ({
      ...read,
      probability: broken / 3,
      fault: { _tag: "Status", status } as const
    })),
    { ...read, probability: reset, fault: { _tag: "Reset" } },
    { ...read, probability: truncated, fault: { _tag: "Truncated" } },
    { ...read, probability: slow, fault: { _tag: "Slow", millis: slowMillis } },
    { ...read, probability: dripping, fault: { _tag: "Dripping", pieces: 8, millis: slowMillis / 8 } },
    { path, method: "POST", probability: lostPost, fault: { _tag: "Lost" } }
  ]
  return rules.filter(({ probability }) => probability > 0)
}
