import { keepText, type Redact } from "@sluice/core/sink"
import { StoreDenied, StoreError, StoreFailed, StoreUnfit, StoreUnreachable } from "./StoreError.ts"

/** Whether the store answered with this status. */
export const isStatus = (cause: unknown, status: number): boolean => statusOf(cause) === status

/** Whether the store calls it so. */
export const isNamed = (cause: unknown, name: string): boolean =>
  (cause as { readonly name?: string } | null)?.name === name

/**
 * Whether the store answers that it has no such request, or not in this form, in whatever words. Not so where it says more
 * precisely what is wrong, or may do it later.
 */
export const isLacking = (cause: unknown): boolean => {
  const { name = "" } = (cause ?? {}) as { readonly name?: string }
  if (name in misfits || name in refusals) return false
  return [400, 405, 411, 415, 501].includes(statusOf(cause) ?? 0)
}

const statusOf = (cause: unknown): number | undefined =>
  (cause as { readonly $metadata?: { readonly httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode

/** What a store's own error means to its operator. */
const misfits: Readonly<Record<string, string>> = {
  NoSuchBucket: "there is no such bucket: make it, or correct the name",
  PermanentRedirect: "the bucket is in another region: set region",
  AuthorizationHeaderMalformed: "the bucket is in another region: set region",
  InvalidBucketName: "that is no name a bucket can have"
}
const refusals: Readonly<Record<string, string>> = {
  AccessDenied: "the credentials do not give this right",
  InvalidAccessKeyId: "the store does not know this access key",
  SignatureDoesNotMatch: "the secret key does not belong to the access key",
  ExpiredToken: "the credentials have expired",
  CredentialsProviderError:
    "no credentials were found: set access_key_id and secret_access_key, or AWS_* variables, or a profile"
}
const gone = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH"]

/** Which store an error is about: `at` is its host and port; `redact` hides the credentials in its own words. */
export interface StoreWords {
  readonly at?: string
  readonly redact?: Redact
}

/** Says in our words what the SDK failed with, without what was sent. */
export const toStoreError = (
  operation: string,
  key: string,
  cause: unknown,
  { at, redact = keepText }: StoreWords = {}
): StoreError => {
  const {
    code = "",
    message = "",
    name = "Error"
  } = (cause ?? {}) as { code?: string; message?: string; name?: string }
  const of = (reason: StoreError["reason"], isRetryable: boolean) =>
    new StoreError({ operation, key, reason, isRetryable })
  const misfit = misfits[name] ?? (message === "Region is missing" ? "set region, or AWS_REGION" : undefined)
  if (misfit !== undefined) return of(new StoreUnfit({ detail: `${key}: ${misfit}` }), false)
  const status = statusOf(cause)
  const refusal = refusals[name] ?? (status === 401 || status === 403 ? refusals.AccessDenied : undefined)
  if (refusal !== undefined) return of(new StoreDenied({ detail: refusal, cause: name }), false)
  if (gone.includes(code) || name === "TimeoutError")
    return of(new StoreUnreachable({ cause: redact(code || name), ...(at === undefined ? {} : { at }) }), true)
  const isRetryable =
    status === undefined ||
    (status >= 500 && status !== 501) ||
    name === "NoSuchUpload" ||
    [408, 409, 429].includes(status)
  return of(
    new StoreFailed({
      detail: `the store failed with ${redact(name)}${status === undefined ? "" : ` (${status})`}`,
      cause: redact(name)
    }),
    isRetryable
  )
}
