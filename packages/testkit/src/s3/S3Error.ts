import type { S3Answer } from "./S3Answer.ts"
import { type XmlContent, xmlDocument } from "./Xml.ts"

/** The error codes the server answers, with their statuses. */
const statuses = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  ConditionalRequestConflict: 409,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidChunkSizeError: 403,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  NotModified: 304,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400
} as const

/** A code of an error answer. */
export type S3ErrorCode = keyof typeof statuses

/** A refusal, thrown by the handlers and answered as XML. */
export class S3Error extends Error {
  readonly code: S3ErrorCode
  readonly details: { readonly [name: string]: XmlContent }

  constructor(code: S3ErrorCode, message: string, details: { readonly [name: string]: XmlContent } = {}) {
    super(message)
    this.code = code
    this.details = details
  }

  get answer(): S3Answer {
    return errorAnswer(statuses[this.code], this.code, this.message, this.details)
  }
}

/** An error as S3 writes it. */
export const errorAnswer = (
  status: number,
  code: string,
  message: string,
  details: { readonly [name: string]: XmlContent } = {}
): S3Answer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: xmlDocument("Error", { Code: code, Message: message, ...details, RequestId: "0", HostId: "testkit" })
})
