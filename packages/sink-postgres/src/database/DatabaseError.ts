import { keepText, type Redact } from "@sluice/core/sink"
import { Redacted, Schema } from "effect"
import { explainGuard } from "./guards.ts"

/** The server does not answer, has gone away or takes no more connections. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", { detail: Schema.String }) {}
/** The server answers and refuses: rights, a missing database, a wrong password, a directory in use. */
export class Denied extends Schema.TaggedError<Denied>()("Denied", { detail: Schema.String }) {}
/** The server takes no writes from this role, or from anybody. */
export class ReadOnly extends Schema.TaggedError<ReadOnly>()("ReadOnly", { detail: Schema.String }) {}
/** The server refuses the rows themselves; without them the statement would pass. */
export class RejectedData extends Schema.TaggedError<RejectedData>()("RejectedData", {
  sqlState: Schema.String,
  detail: Schema.String,
  /** The constraint that refused, where one did. */
  constraint: Schema.NullOr(Schema.String),
  /** The server's words in full, which may quote the row: only to be told of a row that we have made up, or of none. */
  words: Schema.Redacted(Schema.String)
}) {}
/** Another transaction was in the way (deadlock, serialisation, lock timeout). */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { detail: Schema.String }) {}
/** The settings name a server, a database or files that Sluice cannot use, whatever becomes of the server. */
export class Unsuitable extends Schema.TaggedError<Unsuitable>()("Unsuitable", { detail: Schema.String }) {}
/** Anything else. `position` counts the characters of the statement up to where it fails, from 1. */
export class Other extends Schema.TaggedError<Other>()("Other", {
  sqlState: Schema.String,
  detail: Schema.String,
  position: Schema.optionalKey(Schema.Int)
}) {}

/** Every failure of a database. Of its address it names host and port alone; it carries no statement, no parameter and no row: errors end in logs. */
export class DatabaseError extends Schema.TaggedError<DatabaseError>()("DatabaseError", {
  operation: Schema.String,
  reason: Schema.Union([Unreachable, Denied, ReadOnly, RejectedData, Conflict, Unsuitable, Other])
}) {
  /** Whether the same call may succeed a little later. */
  get isRetryable(): boolean {
    return this.reason._tag === "Unreachable" || this.reason._tag === "Conflict"
  }
  override get message(): string {
    return `${this.operation}: ${this.reason.detail}`
  }
}

/** Whether the failure is a row that exists already under one of our own primary keys. */
export const isKeyCollision = (error: DatabaseError): boolean =>
  error.reason._tag === "RejectedData" &&
  error.reason.sqlState === "23505" &&
  (error.reason.constraint?.endsWith("_pkey") ?? false)

/**
 * Translates what a driver threw. Only the SQLSTATE, the constraint's name, the position, the hint and a message without values pass.
 */
export const toDatabaseError =
  (operation: string, { at, redact = keepText }: ServerWords = {}) =>
  (cause: unknown): DatabaseError => {
    const reason = classify(cause, redact, at)
    return new DatabaseError({ operation, reason: operation === "connect" ? withServer(reason, at) : reason })
  }

/** Which server an error is about: `at` is its host and port; `redact` hides the address's secrets in its own words. */
export interface ServerWords {
  readonly at?: string
  readonly redact?: Redact
}

/** Says which server refused a connection. */
const withServer = (reason: DatabaseError["reason"], at: string | undefined): DatabaseError["reason"] => {
  if (at === undefined || reason.detail.includes(at)) return reason
  const detail = `${reason.detail} (at ${at})`
  if (reason._tag === "Denied") return new Denied({ detail })
  return reason._tag === "Unreachable" ? new Unreachable({ detail }) : reason
}

/** The same failure told with the server's own words: for a row that we have made up, and for a statement that has none. */
export const inFull = (error: DatabaseError): DatabaseError =>
  error.reason._tag === "RejectedData"
    ? new DatabaseError({
        operation: error.operation,
        reason: new Other({ sqlState: error.reason.sqlState, detail: Redacted.value(error.reason.words) })
      })
    : error

interface Thrown {
  readonly code?: unknown
  readonly message?: unknown
  readonly detail?: unknown
  readonly hint?: unknown
  readonly position?: unknown
  readonly where?: unknown
  readonly table?: unknown
  readonly constraint?: unknown
  readonly errors?: ReadonlyArray<unknown>
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const classify = (cause: unknown, redact: Redact, at: string | undefined): DatabaseError["reason"] => {
  if (typeof cause !== "object" || cause === null) return new Other({ sqlState: "", detail: "the driver failed" })
  const thrown: Thrown = cause
  const code = textOf(thrown.code)
  const message = redact(textOf(thrown.message))
  // EPIPE and EPERM look like a SQLSTATE; no class of those begins with an E.
  if (!/^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code))
    return withoutState(code, message, thrown, at === undefined ? "the connection" : `the connection to ${at}`)
  const family = code.slice(0, 2)
  const guard = explainGuard(code, message)
  if (code === "55P03") return new Conflict({ detail: guard ?? message })
  if (code === "25006") return new ReadOnly({ detail: message })
  if (guard !== undefined) return new Other({ sqlState: code, detail: guard })
  if (unreachable.has(code) || family === "08") return new Unreachable({ detail: message })
  const hidden = code === "42501" ? /row-level security policy for table "([^"]+)"/.exec(message)?.[1] : undefined
  if (hidden !== undefined) return new Denied({ detail: hiddenRows(hidden) })
  if (family === "28" || code === "3D000" || code === "42501") return new Denied({ detail: withHint(message, thrown) })
  if (code === "40001" || code === "40P01") return new Conflict({ detail: message })
  if (family === "22" || family === "23" || family === "44" || family === "54" || code === "P0001") {
    return new RejectedData({
      sqlState: code,
      detail: refusal(code, message, thrown),
      constraint: textOf(thrown.constraint) || null,
      words: Redacted.make(inWords(code, message, thrown), { label: "words" })
    })
  }
  // Its message is about a file of the server; what is the matter comes behind the colon, where a value could stand.
  if (code === "53100") return new Other({ sqlState: code, detail: "the server's disk is full" })
  return new Other({
    sqlState: code,
    detail: namesAlone.has(family) ? withHint(withDetail(message, thrown), thrown) : withoutValues(message),
    ...positionOf(thrown)
  })
}

/**
 * Families whose messages quote names alone (of tables, columns, settings), which the reader needs: features that a
 * table does not have, states of transactions and objects, statements, limits of the server, what an operator did.
 */
const namesAlone = new Set(["0A", "25", "2B", "34", "3B", "3F", "42", "53", "55", "57"])

const hiddenRows = (table: string): string =>
  `row level security of the table "${table}" applies to this role, and would hide rows from Sluice or refuse them: give it BYPASSRLS, or let it own the table without FORCE ROW LEVEL SECURITY`

const positionOf = ({ position }: Thrown): { readonly position?: number } => {
  const at = Number(position)
  return position !== undefined && Number.isSafeInteger(at) && at > 0 ? { position: at } : {}
}

const withHint = (message: string, { hint }: Thrown): string => {
  const advice = textOf(hint)
  return advice === "" ? message : `${message} (hint: ${advice})`
}

const withDetail = (message: string, { detail }: Thrown): string => {
  const more = textOf(detail)
  return more === "" ? message : `${message}: ${more}`
}

/** The server's own words, with its hint and, where a function raised them, which. */
const inWords = (code: string, message: string, thrown: Thrown): string => {
  const raiser = code === "P0001" ? raisedBy(thrown) : undefined
  const said = withHint(message, thrown)
  return raiser === undefined ? said : `${raiser} said: ${said}`
}

const raisedBy = ({ where }: Thrown): string | undefined => {
  const name = /function "?([^\s("]+)"?\(/.exec(textOf(where))?.[1]
  return name === undefined ? undefined : `the function ${name}`
}

/** Messages about constraints and limits name only those; of invalid values (family 22) they quote the value. */
const refusal = (code: string, message: string, thrown: Thrown): string => {
  if (code === "P0001") {
    const said = withoutValues(message)
    return `a trigger refused the row (${raisedBy(thrown) ?? "a function"} said: ${said})`
  }
  return code.startsWith("22") ? withoutValues(message) : message
}

/** Too many connections, shutting down, starting up, crashed. */
const unreachable = new Set(["53300", "57P01", "57P02", "57P03"])

const withoutState = (code: string, message: string, thrown: Thrown, connection: string): DatabaseError["reason"] => {
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return new Denied({ detail: `${code} on the directory` })
  if (code === "ERR_INVALID_URL") return new Denied({ detail: "the url is malformed" })
  if (message.startsWith("SASL")) return new Denied({ detail: "the server asks for a password and was given none" })
  if (/does not support SSL/.test(message)) {
    return new Denied({ detail: "the server offers no encrypted connections, and sslmode asks for one" })
  }
  if (/\b(SSL|TLS)\b/.test(message) && code === "") return new Denied({ detail: message })
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return new Denied({
      detail: "the server's certificate is for another host than the url names: name that one, or use sslmode=verify-ca"
    })
  }
  if (code === "CERT_HAS_EXPIRED") return new Denied({ detail: "the server's certificate has expired" })
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    const detail = `the server's certificate is signed by nobody who is trusted (${code}): name the authority's certificate in sslrootcert`
    return new Denied({ detail })
  }
  if (/^(ERR_SSL|ERR_OSSL|EPROTO)/.test(code)) {
    return new Denied({
      detail: `an encrypted connection could not be made (${code}): check sslmode, sslcert and sslkey`
    })
  }
  if (code !== "") return new Unreachable({ detail: `${connection} failed with ${code}` })
  if (thrown.errors !== undefined) return new Unreachable({ detail: `${connection} failed at every address` })
  return /connect|terminat|timeout|closed|ended/i.test(message)
    ? new Unreachable({ detail: `${connection} was lost or could not be made in time` })
    : new Other({ sqlState: "", detail: "the driver failed" })
}

/** What is quoted and what follows a colon may be a value, in whatever language the server speaks. */
const withoutValues = (message: string): string =>
  message
    .replace(/"(?:[^"\\]|\\.)*"/gs, '"…"')
    .replace(/«[^»]*»|„[^“”]*[“”]|“[^”]*”|'[^']*'|「[^」]*」/gs, '"…"')
    .replace(/\s?[:：]\s.*$/s, "")
