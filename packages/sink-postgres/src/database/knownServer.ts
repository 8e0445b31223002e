import { Effect, Schema } from "effect"
import type { Queryable } from "./Database.ts"
import { DatabaseError, ReadOnly, Unsuitable } from "./DatabaseError.ts"

const Server = Schema.Struct({
  number: Schema.Int,
  version: Schema.String,
  encoding: Schema.String,
  database: Schema.String,
  role: Schema.String,
  is_standby: Schema.Boolean,
  is_read_only: Schema.Boolean
})
type Server = typeof Server.Type
const decodeServer = Schema.decodeUnknownEffect(Schema.Tuple([Server]))

const ask = `
SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
  current_setting('server_encoding') AS encoding, current_database()::text AS database, current_user::text AS role,
  pg_is_in_recovery() AS is_standby, current_setting('transaction_read_only') = 'on' AS is_read_only`

/** The oldest server whose MERGE, keys and views are as Sluice needs them. */
const oldestServer = 150_000

/**
 * What is known of a server, asked once, before the first transaction: whatever the command, a server that Sluice cannot use is
 * refused with that for a reason, and one that takes no writes says why once it is to take some.
 */
export const knownServer = () => {
  let known: Server | undefined
  return {
    /** Fails where Sluice cannot use the server or the database at all. */
    assertSuitable: (tx: Queryable): Effect.Effect<void, DatabaseError> =>
      known === undefined
        ? Effect.flatMap(tx.query(ask), (rows) =>
            Effect.flatMap(Effect.orDie(decodeServer(rows)), ([server]) => {
              const detail = findUnsuitable(server)
              if (detail !== undefined) {
                return Effect.fail(new DatabaseError({ operation: "connect", reason: new Unsuitable({ detail }) }))
              }
              known = server
              return Effect.void
            })
          )
        : Effect.void,
    /** Says of a write that was refused why none is taken here. */
    explain: (error: DatabaseError): DatabaseError =>
      error.reason._tag === "ReadOnly" && known !== undefined
        ? new DatabaseError({
            operation: error.operation,
            reason: new ReadOnly({ detail: explainReadOnly(error.reason.detail, known) })
          })
        : error
  }
}

const findUnsuitable = ({ database, encoding, number, version }: Server): string | undefined => {
  if (number < oldestServer) return `the server is Postgres ${version}; Sluice needs 15 or newer`
  return encoding === "UTF8"
    ? undefined
    : `the database "${database}" has the encoding ${encoding}, which cannot hold every page: make one with ENCODING 'UTF8' (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0) and name it in the url`
}

const explainReadOnly = (said: string, { is_read_only: isSet, is_standby: isStandby, role }: Server): string => {
  if (isStandby) return `the server is a standby, which takes no writes: name the primary in the url (${said})`
  return isSet
    ? `default_transaction_read_only is on for the role "${role}", the database or the server, so nothing can be written: turn it off for the role that loads (ALTER ROLE … SET default_transaction_read_only = off) (${said})`
    : said
}
