import { readRetryAfter } from "../api/retryAfter.ts"
import { InvalidRequest, type ScraperReason, Unreadable } from "../api/ScraperError.ts"
import { statusReason } from "../api/statusReason.ts"
import type { ApiAnswer } from "./ApiAnswer.ts"
import { errorShape } from "./errorShape.ts"

const foreign = () =>
  new Unreadable({
    detail: "it is HTML or a redirect, not JSON; check that the base URL is that of a Scraper API",
    broken: false,
    foreign: true
  })

/** Why an answer is none of the API's, or a refusal. */
export const refusalReason = (answer: ApiAnswer): ScraperReason | undefined => {
  const { at, headers, kind, status } = answer
  if (status < 300) return kind === "json" || kind === "empty" ? undefined : foreign()
  const detail = `HTTP ${status}`
  const retryAfterMs = readRetryAfter(headers["retry-after"], at)
  const reason = statusReason({ status, detail, fields: [], retryAfterMs, isHtml: kind === "html" }, foreign)
  return reason._tag === "InvalidRequest"
    ? new InvalidRequest({ status, detail: `${detail} (${errorShape(answer).body})`, fields: [] })
    : reason
}

/** What is wrong with an answer that may be better the next time. */
export const passingReason = (answer: ApiAnswer): ScraperReason | undefined => {
  const reason = refusalReason(answer)
  return answer.status < 300 || reason?._tag === "RateLimited" || reason?._tag === "Unavailable" ? reason : undefined
}
