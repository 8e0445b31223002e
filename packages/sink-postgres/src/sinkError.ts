import {
  SinkDenied,
  SinkError,
  SinkFailed,
  SinkMisconfigured,
  SinkTooNew,
  SinkUnreachable,
  Unpublishable
} from "@sluice/core/sink"
import type { DatabaseError } from "./database/DatabaseError.ts"
import type { MigrationError } from "./database/Migrations.ts"
import type { SetRefusal } from "./pages/PageSets.ts"
import type { RunFollowed } from "./publish/admitPublish.ts"

type Failure = DatabaseError | MigrationError | SetRefusal | RunFollowed

/** Says a failure in the words every sink uses. */
export const toSinkError =
  (sink: string, operation: string) =>
  (cause: Failure): SinkError =>
    new SinkError({
      sink,
      operation,
      reason: reasonOf(cause),
      isRetryable: cause._tag === "DatabaseError" && cause.isRetryable
    })

const reasonOf = (cause: Failure): SinkError["reason"] => {
  if (cause._tag === "ModeChanged") return new SinkMisconfigured({ detail: cause.detail })
  if (cause._tag === "SetSuperseded" || cause._tag === "RunFollowed") return new Unpublishable({ detail: cause.detail })
  if (cause._tag === "MigrationError") {
    const { detail } = cause.reason
    return cause.reason._tag === "TooNew" ? new SinkTooNew({ detail }) : new SinkMisconfigured({ detail })
  }
  switch (cause.reason._tag) {
    case "Unreachable":
      return new SinkUnreachable({ cause, detail: cause.reason.detail })
    case "Denied":
    case "ReadOnly":
      return new SinkDenied({ detail: cause.reason.detail, cause })
    case "Unsuitable":
      return new SinkMisconfigured({ detail: cause.reason.detail })
    case "RejectedData":
    case "Conflict":
    case "Other":
      return new SinkFailed({ detail: cause.reason.detail, cause })
  }
}
