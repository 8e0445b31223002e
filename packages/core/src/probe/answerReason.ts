import {
  Conflict,
  InvalidRequest,
  NotFound,
  PaymentRequired,
  RateLimited,
  type ScraperReason,
  Unauthorized,
  Unavailable,
  Unreadable
} from "../api/ScraperError.ts"
import type { ApiAnswer } from "./ApiAnswer.ts"
import { errorShape } from "./errorShape.ts"

/** The form of a `Retry-After`. */
export const retryAfterForm = (value: string | undefined) => {
  if (value === undefined) return "absent" as const
  return /^\s*\d+\s*$/.test(value) ? ("seconds" as const) : ("date" as const)
}

/** `Retry-After` in both forms, as milliseconds from an answer on; null where it is absent or senseless. */
const retryAfterMs = ({ at, headers }: ApiAnswer): number | null => {
  const value = headers["retry-after"]
  const form = retryAfterForm(value)
  if (value === undefined || form === "absent") return null
  if (form === "seconds") return Number(value) * 1_000
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - at)
}

/** What is wrong with an answer that may be better the next time. */
export const passingReason = (answer: ApiAnswer): ScraperReason | undefined => {
  const { kind, status } = answer
  if (status === 429) return new RateLimited({ retryAfterMs: retryAfterMs(answer) })
  if (status === 408 || (status >= 500 && status !== 501)) {
    return new Unavailable({ status, detail: `HTTP ${status}`, retryAfterMs: retryAfterMs(answer) })
  }
  if (status < 300 && kind !== "json" && kind !== "empty") return foreign()
  return undefined
}

const foreign = () =>
  new Unreadable({
    detail: "it is HTML or a redirect, not JSON; check that the base URL is that of a Scraper API",
    broken: false,
    foreign: true
  })

/** Why an answer is none of the API's, or a refusal. */
export const refusalReason = (answer: ApiAnswer): ScraperReason | undefined => {
  const { kind, status } = answer
  const detail = `HTTP ${status}`
  const passing = passingReason(answer)
  if (passing !== undefined) return passing
  if (status < 300) return undefined
  if (status < 400) return foreign()
  if (status === 401 || status === 403) return new Unauthorized({ detail })
  if (status === 402) return new PaymentRequired({ detail })
  if (status === 404) return kind === "html" ? foreign() : new NotFound({ detail })
  if (status === 409) return new Conflict({ detail })
  return new InvalidRequest({ status, detail: `${detail} (${errorShape(answer).body})`, fields: [] })
}
