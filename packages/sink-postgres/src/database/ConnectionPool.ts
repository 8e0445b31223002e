import type { Redacted } from "effect"
import pg from "pg"
import type { ConnectionSettings, Encryption } from "./ConnectionSettings.ts"
import { columnParsers } from "./columnParsers.ts"

/** How a server is reached. */
export interface PgOptions {
  readonly url: Redacted.Redacted
  readonly schema: string
  /** Connections at most. */
  readonly max: number
  /** Milliseconds a new connection may take. */
  readonly connectTimeout: number
}

/** Connections to one server. */
export interface ConnectionPool {
  readonly connect: () => Promise<pg.PoolClient>
  readonly end: () => Promise<void>
}

/**
 * Connections encrypted in the first of the ways that the server lets one have. Which it is shows at the first connection, as
 * with libpq's `prefer` and `allow`; the others then take the same.
 */
export const makePool = (settings: ConnectionSettings, options: PgOptions, session: string): ConnectionPool => {
  const pools = settings.encryption.map((encryption) => poolOf(settings, encryption, options, session))
  let chosen: pg.Pool | undefined
  const connect = async (): Promise<pg.PoolClient> => {
    if (chosen !== undefined) return chosen.connect()
    for (const [at, pool] of pools.entries()) {
      try {
        const client = await pool.connect()
        chosen = pool
        return client
      } catch (cause) {
        if (at === pools.length - 1 || !mayPassOtherwise(cause)) throw cause
      }
    }
    throw new Error("no connection could be made")
  }
  return { connect, end: async () => void (await Promise.all(pools.map((pool) => pool.end()))) }
}

/** The server speaks no TLS, the two cannot agree on one, or lets nobody in by this way: what libpq tries the other way for. */
const mayPassOtherwise = (cause: unknown): boolean => {
  if (!(cause instanceof Error)) return false
  const code = "code" in cause ? String(cause.code) : ""
  return code === "28000" || /^(ERR_SSL|ERR_TLS|EPROTO|ECONNRESET)/.test(code) || /\bSSL\b/.test(cause.message)
}

const poolOf = (settings: ConnectionSettings, encryption: Encryption, options: PgOptions, session: string): pg.Pool => {
  const pool = new pg.Pool({
    ...settings.client,
    ssl: encryption,
    max: options.max,
    connectionTimeoutMillis: settings.connectTimeout ?? options.connectTimeout,
    application_name: session,
    types: { getTypeParser: (oid: number) => columnParsers[oid] ?? asText }
  })
  // Without a listener a connection's end would end the process, whether it is idle, at work or on its way between the two;
  // the next statement meets the failure anyway.
  pool.on("connect", (client) => void client.on("error", ignore))
  pool.on("error", ignore)
  return pool
}

const ignore = () => {}

const asText = (text: string): unknown => text
