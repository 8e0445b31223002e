import { SinkDenied, SinkError, SinkFailed, SinkMisconfigured, SinkUnreachable, Unpublishable } from "@sluice/core/sink"
import { Schema } from "effect"

/** The store does not answer. */
export class StoreUnreachable extends Schema.TaggedError<StoreUnreachable>()("StoreUnreachable", {
  cause: Schema.Defect(),
  /** Which store, by host and port. */
  at: Schema.optionalKey(Schema.String)
}) {}
/** The store refuses: credentials, rights. */
export class StoreDenied extends Schema.TaggedError<StoreDenied>()("StoreDenied", {
  detail: Schema.String,
  cause: Schema.Defect()
}) {}
/** The store is not as it was said to be: no such bucket, no region, no conditional writes. */
export class StoreUnfit extends Schema.TaggedError<StoreUnfit>()("StoreUnfit", { detail: Schema.String }) {}
/** What is in the store contradicts what should be. */
class StoreConflict extends Schema.TaggedError<StoreConflict>()("StoreConflict", { detail: Schema.String }) {}
/** A run cannot be published any more. */
class RunUnpublishable extends Schema.TaggedError<RunUnpublishable>()("RunUnpublishable", {
  detail: Schema.String
}) {}
/** The store answers with an error of its own, or broke off. */
export class StoreFailed extends Schema.TaggedError<StoreFailed>()("StoreFailed", {
  detail: Schema.String,
  cause: Schema.Defect()
}) {}

/** Every failure of a store. `key` is the object it was about; no content and no credential is in it. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  operation: Schema.String,
  key: Schema.String,
  reason: Schema.Union([StoreUnreachable, StoreDenied, StoreUnfit, StoreConflict, RunUnpublishable, StoreFailed]),
  /** Whether the same call may succeed a little later. */
  isRetryable: Schema.Boolean
}) {
  override get message(): string {
    const { key, operation, reason } = this
    if (reason._tag !== "StoreUnreachable") return `${reason.detail} (${operation} ${key})`
    const how = typeof reason.cause === "string" ? `${reason.cause}, ` : ""
    return `the store${reason.at === undefined ? "" : ` at ${reason.at}`} did not answer (${how}${operation} ${key})`
  }
}

/** What is there is not what should be: nothing that is tried again will change it. */
export const conflict = (operation: string, key: string, detail: string): StoreError =>
  new StoreError({ operation, key, reason: new StoreConflict({ detail }), isRetryable: false })

/** A run cannot be published any more: a later one has been, or its objects are gone. */
export const unpublishable = (key: string, detail: string): StoreError =>
  new StoreError({ operation: "publish", key, reason: new RunUnpublishable({ detail }), isRetryable: false })

/** The store is not what a sink needs. */
export const unfit = (operation: string, key: string, detail: string): StoreError =>
  new StoreError({ operation, key, reason: new StoreUnfit({ detail }), isRetryable: false })

/** Says a failure in the words every sink uses. */
export const toSinkError =
  (sink: string, operation: string) =>
  (cause: StoreError): SinkError =>
    new SinkError({ sink, operation, reason: reasonOf(cause), isRetryable: cause.isRetryable })

const reasonOf = (cause: StoreError): SinkError["reason"] => {
  const detail = cause.message
  switch (cause.reason._tag) {
    case "StoreUnreachable":
      return new SinkUnreachable({ cause, detail })
    case "StoreDenied":
      return new SinkDenied({ detail, cause })
    case "StoreUnfit":
      return new SinkMisconfigured({ detail: cause.reason.detail })
    case "RunUnpublishable":
      return new Unpublishable({ detail: cause.reason.detail })
    case "StoreConflict":
    case "StoreFailed":
      return new SinkFailed({ detail, cause })
  }
}
