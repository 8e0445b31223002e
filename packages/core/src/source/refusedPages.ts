import type { Schema } from "effect"
import type { InvalidRequest, ScraperError } from "../api/ScraperError.ts"

/** Answers to a submission that say nothing about what was asked for, but that this is no place to ask: they end the run. */
const aboutTheApi = new Set([405, 406, 415])

/** Why a URL was refused, as its page says it. */
export interface RefusedPage {
  readonly error_code: string
  readonly error_message: string
}

/** The refusal of what was asked for, where a failure is one: it is about these URLs, and others may be taken on. */
export const refusalIn = (error: ScraperError): InvalidRequest | undefined => {
  const { reason } = error
  if (reason._tag !== "InvalidRequest" || reason.status < 400 || reason.status >= 500) return undefined
  return aboutTheApi.has(reason.status) ? undefined : reason
}

/** What a page says that the API refused: the API's code and words. */
export const refusedPage = ({ code, detail, fields, status }: InvalidRequest): RefusedPage => ({
  error_code: code ?? (fields.length > 0 ? "VALIDATION_ERROR" : `HTTP_${status}`),
  error_message: fields.length > 0 ? fields.map(({ message, path }) => `${path}: ${message}`).join("; ") : detail
})

/** What a page says that an earlier attempt was refused, and could not land. */
export const refusedBefore: RefusedPage = {
  error_code: "REFUSED",
  error_message: "The API refused this URL; its words were lost with the attempt"
}

/** A result of a URL that was refused, as a vault keeps it. */
export const refusedAnswer = (said: RefusedPage): Schema.Json => ({
  status: "failed",
  data: null,
  metadata: null,
  error: { code: said.error_code, message: said.error_message },
  tokens_charged: 0
})
