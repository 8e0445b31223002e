import { Option, Predicate, Schema } from "effect"
import { type PageErrorCode, PageFailure } from "./PageFailure.ts"

type Meaning = readonly [code: PageErrorCode, retryable: boolean, message: string]

/** How the message begins of an answer that is shorter than it says, or that says it in two ways. */
export const lengthUnclear = "The answer has another length than it says"

/** What the codes of Node and of its HTTP client come to. */
const meanings: Readonly<Record<string, Meaning>> = {
  BLOCKED_ADDRESS: ["BLOCKED_TARGET", false, "The target's address is not public"],
  ENOTFOUND: ["DNS_ERROR", false, "The target's name does not resolve"],
  EAI_AGAIN: ["DNS_ERROR", true, "The target's name could not be resolved now"],
  UND_ERR_CONNECT_TIMEOUT: ["TIMEOUT", true, "The target did not accept the connection in time"],
  UND_ERR_HEADERS_TIMEOUT: ["TIMEOUT", true, "The target did not answer in time"],
  UND_ERR_BODY_TIMEOUT: ["TIMEOUT", true, "The target stopped sending"],
  UND_ERR_INVALID_ARG: ["INVALID_URL", false, "The request cannot be sent"],
  UND_ERR_HEADERS_OVERFLOW: ["PROTOCOL_ERROR", false, "The headers of the answer are too large"],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ["CONNECTION_ERROR", true, lengthUnclear],
  CERT_HAS_EXPIRED: ["TLS_ERROR", false, "The target's certificate has expired"],
  CERT_NOT_YET_VALID: ["TLS_ERROR", false, "The target's certificate is not valid yet"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["TLS_ERROR", false, "The target's certificate is self-signed"],
  SELF_SIGNED_CERT_IN_CHAIN: ["TLS_ERROR", false, "The target's certificate is of an unknown authority"],
  UNABLE_TO_GET_ISSUER_CERT: ["TLS_ERROR", false, "The target's certificate is of an unknown authority"],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["TLS_ERROR", false, "The target's certificate is of an unknown authority"],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["TLS_ERROR", false, "The target's certificate is of an unknown authority"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["TLS_ERROR", false, "The target's certificate is for another host"],
  EPROTO: ["TLS_ERROR", false, "The target does not speak TLS as it should"]
}

/** What the codes come to that are many of a kind. */
const families: ReadonlyArray<readonly [RegExp, Meaning]> = [
  [/^HPE_/, ["PROTOCOL_ERROR", false, "The answer is not HTTP"]],
  [/^(?:Z_|ERR__ERROR_|ERR_PADDING|ZSTD_)/, ["CONVERSION_ERROR", false, "The compressed body is damaged or cut off"]],
  [/^(?:ERR_SSL_|ERR_TLS_|CERT_)/, ["TLS_ERROR", false, "There is no secure connection to the target"]]
]

const unknown: Meaning = ["CONNECTION_ERROR", true, "The connection failed"]

const Coded = Schema.Struct({ code: Schema.String })
const codeOf = (cause: unknown): string =>
  Option.match(Schema.decodeUnknownOption(Coded)(cause), {
    // An error of the parser has a code only where the parser gives one.
    onNone: () => (Predicate.isError(cause) && cause.name === "HTTPParserError" ? "HPE_" : ""),
    onSome: ({ code }) => code
  })

/** The page failure of a failed request. The message of the cause is added: it names only the target. */
export const targetFailure = (cause: unknown): PageFailure => {
  if (cause instanceof PageFailure) return cause
  const code = codeOf(cause)
  const family = families.find(([pattern]) => pattern.test(code))
  const [pageCode, retryable, text] = meanings[code] ?? family?.[1] ?? unknown
  const detail = Predicate.isError(cause) && cause.message !== "" ? cause.message.split("\n", 1)[0] : code
  return new PageFailure({
    code: pageCode,
    message: detail === "" ? text : `${text}: ${detail}`,
    retryable,
    httpStatus: null
  })
}
