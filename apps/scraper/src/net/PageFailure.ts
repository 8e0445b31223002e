import { Schema } from "effect"

/** Every `error_code` a page or an extraction can end with. */
export const PageErrorCode = Schema.Literals([
  "INVALID_URL",
  "BLOCKED_TARGET",
  "ROBOTS_DISALLOWED",
  "DNS_ERROR",
  "CONNECTION_ERROR",
  "TLS_ERROR",
  "PROTOCOL_ERROR",
  "TIMEOUT",
  "HOST_PAUSED",
  "TOO_MANY_REDIRECTS",
  "INVALID_REDIRECT",
  "REDIRECT_OUT_OF_SCOPE",
  "HTTP_ERROR",
  "RATE_LIMITED",
  "UNSUPPORTED_CONTENT_TYPE",
  "PAGE_TOO_LARGE",
  "COMPRESSION_BOMB",
  "CONVERSION_ERROR",
  "CONVERSION_TIMEOUT",
  "CONVERSION_BUSY",
  "PAGE_TOO_COMPLEX",
  "INVALID_SELECTOR",
  "ELEMENT_NOT_FOUND",
  "PAGE_CRASHED",
  "BROWSER_BUSY",
  "BROWSER_UNAVAILABLE"
])
export type PageErrorCode = typeof PageErrorCode.Type

/** Why a page could not be had. `retryable` says whether a later attempt may well succeed. */
export class PageFailure extends Schema.TaggedError<PageFailure>()("PageFailure", {
  code: PageErrorCode,
  message: Schema.String,
  retryable: Schema.Boolean,
  httpStatus: Schema.NullOr(Schema.Int),
  /** How long the target asked to be left alone, if it did. */
  retryAfterMs: Schema.optionalKey(Schema.Finite)
}) {}

/** A failure that a repeated attempt would not change. */
export const finalFailure = (code: PageErrorCode, message: string, httpStatus: number | null = null): PageFailure =>
  new PageFailure({ code, message, retryable: false, httpStatus })

/** A failure worth another attempt. */
export const transientFailure = (code: PageErrorCode, message: string, httpStatus: number | null = null): PageFailure =>
  new PageFailure({ code, message, retryable: true, httpStatus })
