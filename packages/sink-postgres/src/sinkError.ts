import { SinkDenied, SinkError, SinkFailed, SinkMisconfigured, SinkTooNew, SinkUnreachable } from "@sluice/core"
import type { DatabaseError } from "./DatabaseError.ts"
import type { MigrationError } from "./Migrations.ts"

/** Says a database's failure in the words every sink uses. */
export const toSinkError =
  (sink: string, operation: string) =>
  (cause: DatabaseError | MigrationError): SinkError =>
    new SinkError({
      sink,
      operation,
      reason: reasonOf(cause),
      isRetryable: cause._tag === "DatabaseError" && cause.isRetryable
    })

const reasonOf = (cause: DatabaseError | MigrationError): SinkError["reason"] => {
  if (cause._tag === "MigrationError") {
    const { detail } = cause.reason
    return cause.reason._tag === "TooNew" ? new SinkTooNew({ detail }) : new SinkMisconfigured({ detail })
  }
  switch (cause.reason._tag) {
    case "Unreachable":
      return new SinkUnreachable({ cause })
    case "Denied":
      return new SinkDenied({ detail: cause.reason.detail, cause })
    case "RejectedData":
    case "Conflict":
    case "Other":
      return new SinkFailed({ detail: cause.reason.detail, cause })
  }
}
