import { Schema } from "effect"

/** The store does not answer. `detail` says which one, by host and port, and how that failed; it names no secret. */
export class SinkUnreachable extends Schema.TaggedError<SinkUnreachable>()("SinkUnreachable", {
  cause: Schema.Defect(),
  detail: Schema.optionalKey(Schema.String)
}) {}
/** The store answers and refuses: rights, a missing database, a wrong password. `detail` names no secret. */
export class SinkDenied extends Schema.TaggedError<SinkDenied>()("SinkDenied", {
  detail: Schema.String,
  cause: Schema.Defect()
}) {}
/** The store was prepared by a newer Sluice. */
export class SinkTooNew extends Schema.TaggedError<SinkTooNew>()("SinkTooNew", { detail: Schema.String }) {}
/** The settings do not make sense together. */
export class SinkMisconfigured extends Schema.TaggedError<SinkMisconfigured>()("SinkMisconfigured", {
  detail: Schema.String
}) {}
/** A run cannot be published any more: a later one has been, or what it loaded is gone. */
export class Unpublishable extends Schema.TaggedError<Unpublishable>()("Unpublishable", { detail: Schema.String }) {}
/** The store broke off or refused a statement in a way a sink cannot answer. */
export class SinkFailed extends Schema.TaggedError<SinkFailed>()("SinkFailed", {
  detail: Schema.String,
  cause: Schema.Defect()
}) {}

/** Every failure of a sink. Records it can do without become dead letters and are no failure. */
export class SinkError extends Schema.TaggedError<SinkError>()("SinkError", {
  sink: Schema.String,
  operation: Schema.String,
  reason: Schema.Union([SinkUnreachable, SinkDenied, SinkTooNew, SinkMisconfigured, Unpublishable, SinkFailed]),
  /** Whether the same call may succeed a little later. */
  isRetryable: Schema.Boolean
}) {
  override get message() {
    const { reason } = this
    if (reason._tag !== "SinkUnreachable") return `sink "${this.sink}": ${reason.detail}`
    return `sink "${this.sink}" cannot be reached${reason.detail === undefined ? "" : `: ${reason.detail}`}`
  }
}
