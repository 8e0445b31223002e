import { existsSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import type { ConnectionOptions } from "node:tls"
import { Result } from "effect"
import pg from "pg"
import { parse } from "pg-connection-string"
import { type Parameters, parseConnectionString } from "./ConnectionString.ts"

/** How one connection is encrypted, as the driver takes it. */
export type Encryption = false | ConnectionOptions

/** What a connection string says, as the driver takes it. */
export interface ConnectionSettings {
  readonly client: Pick<
    pg.ClientConfig,
    "host" | "port" | "user" | "password" | "database" | "options" | "enableChannelBinding"
  >
  /** Milliseconds a new connection may take; undefined where nothing is said. */
  readonly connectTimeout: number | undefined
  /** What is tried, in this order. */
  readonly encryption: readonly [Encryption, ...Array<Encryption>]
}

/** Reads a connection string and the files it names. Fails with what is wrong, without a value. */
export const connectionSettings = (written: string): Result.Result<ConnectionSettings, string> =>
  Result.flatMap(parseConnectionString(written), (parameters) => {
    const unsupported = findUnsupported(parameters)
    if (unsupported !== undefined) return Result.fail(unsupported)
    const port = parameters.get("port")
    if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
      return Result.fail("names a port that is not a number from 1 to 65535")
    }
    const timeout = parameters.get("connect_timeout")
    if (timeout !== undefined && !/^\d{1,6}$/.test(timeout)) {
      return Result.fail("has a connect_timeout that is not a whole number of seconds")
    }
    return Result.map(encryptionOf(parameters), (encryption) => ({
      client: clientOf(parameters),
      // libpq takes no less than two seconds, and 0 for no limit: then ours holds.
      connectTimeout: Number(timeout ?? 0) === 0 ? undefined : Math.max(2, Number(timeout)) * 1000,
      encryption
    }))
  })

/** Host and port of the server, as the driver takes them. */
export const serverIn = ({ client }: Pick<ConnectionSettings, "client">): string => {
  const { host, port } = new pg.Client(client)
  return host.startsWith("/") ? `the socket in ${host}` : `${host.includes(":") ? `[${host}]` : host}:${port}`
}

const clientOf = (parameters: Parameters): ConnectionSettings["client"] => {
  const port = parameters.get("port")
  const members = {
    host: parameters.get("hostaddr") ?? parameters.get("host"),
    port: port === undefined ? undefined : Number(port),
    user: parameters.get("user"),
    password: parameters.get("password"),
    database: parameters.get("dbname"),
    options: parameters.get("options"),
    enableChannelBinding: parameters.get("channel_binding") !== "disable"
  }
  // The driver takes an undefined one for the word itself, or for none of the environment's.
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** A parameter that changes the peer or its security is never ignored in silence. */
const findUnsupported = (parameters: Parameters): string | undefined => {
  if ([...parameters].some(([name, value]) => (name === "host" || name === "port") && value.includes(","))) {
    return "names several hosts: name the one that takes writes"
  }
  for (const name of ["service", "servicefile", "passfile", "require_auth", "requirepeer", "sslcrl", "sslcrldir"]) {
    if (parameters.has(name)) return `has the parameter "${name}", which Sluice does not know how to follow: remove it`
  }
  if (parameters.get("gssencmode") === "require")
    return "asks for GSSAPI encryption, which Sluice cannot do: use sslmode"
  if (!["false", "off", "no", "0", undefined].includes(parameters.get("replication"))) {
    return 'asks for a connection of replication, which takes no queries: remove the parameter "replication"'
  }
  return undefined
}

const modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const
type Mode = (typeof modes)[number]

const isMode = (text: string): text is Mode => modes.some((mode) => mode === text)

/** `ssl` is what JDBC and the drivers of JavaScript and Python write for `sslmode`. */
const modeOf = (parameters: Parameters): Result.Result<Mode, string> => {
  const ssl = parameters.get("ssl")
  const written = parameters.get("sslmode") ?? (ssl === undefined ? undefined : (sslWords[ssl] ?? ssl))
  if (written === undefined)
    return Result.succeed(parameters.get("sslrootcert") === "system" ? "verify-full" : "prefer")
  if (written === "no-verify") return Result.succeed("require")
  return isMode(written) ? Result.succeed(written) : Result.fail(`has an sslmode that is none of ${modes.join(", ")}`)
}

const sslWords: Readonly<Record<string, Mode>> = { true: "require", "1": "require", false: "disable", "0": "disable" }

const encryptionOf = (parameters: Parameters): Result.Result<ConnectionSettings["encryption"], string> =>
  Result.flatMap(modeOf(parameters), (mode): Result.Result<ConnectionSettings["encryption"], string> => {
    // A socket of the machine is not encrypted, whatever is asked for.
    if (mode === "disable" || parameters.get("host")?.startsWith("/") === true) return Result.succeed([false])
    return Result.map(tlsOf(mode, parameters), (tls): ConnectionSettings["encryption"] =>
      mode === "prefer" ? [tls, false] : mode === "allow" ? [false, tls] : [tls]
    )
  })

/** Where libpq looks for what is not named. */
const ownFiles = { sslrootcert: "root.crt", sslcert: "postgresql.crt", sslkey: "postgresql.key" } as const

const tlsOf = (mode: Mode, parameters: Parameters): Result.Result<ConnectionOptions, string> => {
  const named = new Map<string, string>([["sslmode", mode]])
  for (const name of ["sslrootcert", "sslcert", "sslkey"] as const) {
    const path = parameters.get(name)
    const own = join(homedir(), ".postgresql", ownFiles[name])
    if (path === "system" && name === "sslrootcert") continue
    if (path !== undefined) {
      if (!isReadable(path)) return Result.fail(`names a file in ${name} that cannot be read: ${path}`)
      named.set(name, path)
    } else if (existsSync(own) && (name === "sslrootcert" || parameters.get("sslcert") === undefined)) {
      named.set(name, own)
    }
  }
  if (named.has("sslcert") !== named.has("sslkey")) {
    return Result.fail(named.has("sslcert") ? "names sslcert without sslkey" : "names sslkey without sslcert")
  }
  if (parameters.get("sslrootcert") === "system") {
    if (mode !== "verify-full") return Result.fail("asks for sslrootcert=system, which needs sslmode=verify-full")
    named.delete("sslrootcert")
  }
  if (mode === "verify-ca" && !named.has("sslrootcert")) {
    return Result.fail("asks for sslmode=verify-ca and names no sslrootcert to verify with")
  }
  const query = [...named].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")
  const { ssl } = parse(`postgres://host/?${query}`, { useLibpqCompat: true })
  if (typeof ssl !== "object") return Result.fail("asks for an sslmode that cannot be followed")
  const passphrase = parameters.get("sslpassword")
  const servername = parameters.has("hostaddr") ? parameters.get("host") : undefined
  const minVersion = parameters.get("ssl_min_protocol_version")
  if (minVersion !== undefined && !/^TLSv1(\.[1-3])?$/.test(minVersion)) {
    return Result.fail("has an ssl_min_protocol_version that is none of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3")
  }
  return Result.succeed({
    ...(ssl as ConnectionOptions),
    // The parser knows no "allow".
    ...(mode === "allow" ? { rejectUnauthorized: false } : {}),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === undefined ? {} : { servername }),
    ...(minVersion === undefined ? {} : { minVersion: minVersion as NonNullable<ConnectionOptions["minVersion"]> })
  })
}

const isReadable = (path: string): boolean => {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}
