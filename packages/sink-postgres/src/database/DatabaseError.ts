import { Schema } from "effect"

/** The server does not answer, has gone away or takes no more connections. */
class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", { detail: Schema.String }) {}
/** The server answers and refuses: rights, a missing database, a wrong password, a directory in use. */
export class Denied extends Schema.TaggedError<Denied>()("Denied", { detail: Schema.String }) {}
/** The server refuses the rows themselves; without them the statement would pass. */
export class RejectedData extends Schema.TaggedError<RejectedData>()("RejectedData", {
  sqlState: Schema.String,
  detail: Schema.String,
  /** The constraint that refused, where one did. */
  constraint: Schema.NullOr(Schema.String)
}) {}
/** Another transaction was in the way (deadlock, serialisation, lock timeout). */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { detail: Schema.String }) {}
/** Anything else. */
export class Other extends Schema.TaggedError<Other>()("Other", { sqlState: Schema.String, detail: Schema.String }) {}

/** Every failure of a database. It carries no address, no statement, no parameter and no row: errors end in logs. */
export class DatabaseError extends Schema.TaggedError<DatabaseError>()("DatabaseError", {
  operation: Schema.String,
  reason: Schema.Union([Unreachable, Denied, RejectedData, Conflict, Other])
}) {
  /** Whether the same call may succeed a little later. */
  get isRetryable(): boolean {
    return this.reason._tag === "Unreachable" || this.reason._tag === "Conflict"
  }
  override get message(): string {
    return `${this.operation}: ${this.reason.detail}`
  }
}

/** Whether the failure is a row that stands already, under one of our own primary keys. */
export const isKeyCollision = (error: DatabaseError): boolean =>
  error.reason._tag === "RejectedData" &&
  error.reason.sqlState === "23505" &&
  (error.reason.constraint?.endsWith("_pkey") ?? false)

/** Translates what a driver threw. Only the SQLSTATE, the constraint's name and a message without values pass. */
export const toDatabaseError =
  (operation: string) =>
  (cause: unknown): DatabaseError =>
    new DatabaseError({ operation, reason: classify(cause) })

interface Thrown {
  readonly code?: unknown
  readonly message?: unknown
  readonly constraint?: unknown
  readonly errors?: ReadonlyArray<unknown>
}

const classify = (cause: unknown): DatabaseError["reason"] => {
  if (typeof cause !== "object" || cause === null) return new Other({ sqlState: "", detail: "the driver failed" })
  const thrown: Thrown = cause
  const code = typeof thrown.code === "string" ? thrown.code : ""
  const message = typeof thrown.message === "string" ? thrown.message : ""
  // EPIPE and EPERM look like a SQLSTATE; no class of those begins with an E.
  if (!/^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code)) return withoutState(code, message, thrown)
  const family = code.slice(0, 2)
  if (unreachable.has(code) || family === "08") return new Unreachable({ detail: message })
  if (family === "28" || code === "3D000" || code === "42501" || code === "25006")
    return new Denied({ detail: message })
  if (code === "40001" || code === "40P01" || code === "55P03") return new Conflict({ detail: message })
  if (family === "22" || family === "23" || family === "44" || family === "54" || code === "P0001") {
    return new RejectedData({
      sqlState: code,
      detail: refusal(code, message),
      constraint: typeof thrown.constraint === "string" ? thrown.constraint : null
    })
  }
  // Its message is about a file of the server; what is the matter comes behind the colon, where a value could stand.
  if (code === "53100") return new Other({ sqlState: code, detail: "the server's disk is full" })
  // Of statements (family 42) messages quote names alone, and whoever wrote the statement needs them.
  return new Other({ sqlState: code, detail: family === "42" ? message : withoutValues(message) })
}

/** Messages about constraints and limits name only those; of invalid values (family 22) they quote the value. */
const refusal = (code: string, message: string): string => {
  if (code === "P0001") return "a trigger refused the row"
  return code.startsWith("22") ? withoutValues(message) : message
}

/** Too many connections, shutting down, starting up, crashed. */
const unreachable = new Set(["53300", "57P01", "57P02", "57P03"])

const withoutState = (code: string, message: string, thrown: Thrown): DatabaseError["reason"] => {
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return new Denied({ detail: `${code} on the directory` })
  if (code === "ERR_INVALID_URL") return new Denied({ detail: "the url is malformed" })
  if (message.startsWith("SASL")) return new Denied({ detail: "the server asks for a password and was given none" })
  if (/\b(SSL|TLS)\b/.test(message) && code === "") return new Denied({ detail: message })
  if (code !== "") return new Unreachable({ detail: `the connection failed with ${code}` })
  if (thrown.errors !== undefined) return new Unreachable({ detail: "the connection failed at every address" })
  return /connect|terminat|timeout|closed|ended/i.test(message)
    ? new Unreachable({ detail: "the connection was lost or could not be made in time" })
    : new Other({ sqlState: "", detail: "the driver failed" })
}

/** What is quoted and what follows a colon may be a value. */
const withoutValues = (message: string): string => message.replace(/"(?:[^"\\]|\\.)*"/gs, '"…"').replace(/: .*$/s, "")
