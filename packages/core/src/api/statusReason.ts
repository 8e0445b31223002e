import {
  Conflict,
  InvalidRequest,
  NotFound,
  PaymentRequired,
  RateLimited,
  type ScraperReason,
  Unauthorized,
  Unavailable,
  type Unreadable
} from "./ScraperError.ts"

/** An answer outside of 2xx, as far as its reason needs it. */
export interface RefusedAnswer
  extends Omit<ConstructorParameters<typeof InvalidRequest>[0], "_tag">,
    Pick<ConstructorParameters<typeof Unavailable>[0], "retryAfterMs" | "retryable"> {
  readonly isHtml: boolean
}

/** The reason of an answer outside of 2xx. `foreign` makes that of an answer that does not come from a Scraper API. */
export const statusReason = (
  { isHtml, retryAfterMs, retryable, ...refusal }: RefusedAnswer,
  foreign: (what: "HTML" | "redirect") => Unreadable
): ScraperReason => {
  const { detail, status } = refusal
  if (status === 401 || status === 403) return new Unauthorized({ detail })
  if (status === 402) return new PaymentRequired({ detail })
  if (status === 404) return isHtml ? foreign("HTML") : new NotFound({ detail })
  if (status === 409) return new Conflict({ detail })
  if (status === 429) return new RateLimited({ retryAfterMs })
  if (status === 408 || (status >= 500 && status !== 501)) {
    return new Unavailable({ status, detail, retryAfterMs, ...(retryable === undefined ? {} : { retryable }) })
  }
  return status < 400 ? foreign("redirect") : new InvalidRequest(refusal)
}
