import { Result } from "effect"

/** A connection string taken apart: what libpq calls its parameters, decoded. */
export type Parameters = ReadonlyMap<string, string>

/**
 * Takes a connection string apart as people have it: a URI as libpq takes it, also with characters in the password that should
 * have been escaped, with the names of drivers (`postgresql+psycopg2`, `jdbc:postgresql`) or in quotes; or libpq's
 * `key=value`. Fails with what is wrong, in words that quote nothing that could be part of a password.
 */
export const parseConnectionString = (written: string): Result.Result<Parameters, string> => {
  const text = unquoted(written.trim())
  if (text === "") return Result.fail("is empty")
  if (/\p{Cc}/u.test(text)) return Result.fail("holds a control character, such as a line break: write it in one line")
  if (/^[A-Za-z_]+\s*=/.test(text)) return parsePairs(text)
  const parts = /^(?:jdbc:)?([A-Za-z][A-Za-z0-9]*)((?:[+.-][A-Za-z0-9_]+)*):\/\/(.*)$/s.exec(text)
  if (parts === null) {
    return Result.fail(`begins with no scheme: write ${example}`)
  }
  const [, scheme = "", , rest = ""] = parts
  if (!schemes.has(scheme.toLowerCase())) {
    return Result.fail(`is an address of "${scheme.toLowerCase()}", not of Postgres: write ${example}`)
  }
  return parseUri(rest)
}

const example = "postgres://user:password@host:port/database"

/** Postgres, as libpq, Django, PHP and others write it. */
const schemes = new Set(["postgres", "postgresql", "pgsql", "postgis", "psql"])

const unquoted = (text: string): string => {
  const inner = /^(["'`])(.*)\1;?$/s.exec(text)?.[2]
  return inner === undefined ? text : inner.trim()
}

const host = String.raw`(?:\[[^\]/?#@]*\]|[^\s/?#@:,[\]]*)(?::\d*)?`
const location = new RegExp(String.raw`^(${host}(?:,${host})*)(?:/([^/?#@]*)/?)?(?:\?([^#]*))?$`)

/**
 * A URI by its rules where that makes sense; else by the first `@` that leaves an address behind it, so that what is before it
 * may hold anything.
 */
const parseUri = (rest: string): Result.Result<Parameters, string> => {
  const strict = /^(?:([^/?#@]*)@)?([^@]*|[^@?]*\?.*)$/s.exec(rest)
  const byRule = strict === null ? undefined : parseLocation(strict[2]!, strict[1])
  if (byRule !== undefined && Result.isSuccess(byRule)) return byRule
  for (let at = rest.indexOf("@"); at >= 0; at = rest.indexOf("@", at + 1)) {
    const lenient = parseLocation(rest.slice(at + 1), rest.slice(0, at))
    if (lenient !== undefined && Result.isSuccess(lenient)) return lenient
  }
  return (
    byRule ??
    Result.fail(
      "cannot be read: behind the last @ a host, a port of digits and a database are expected; percent-encode every other character of the user name and the password"
    )
  )
}

const parseLocation = (
  address: string,
  userInfo: string | undefined
): Result.Result<Parameters, string> | undefined => {
  const parts = location.exec(address)
  if (parts === null) return undefined
  const [, hosts = "", database = "", query = ""] = parts
  const found = new Map<string, string>()
  if (userInfo !== undefined) {
    const colon = userInfo.indexOf(":")
    put(found, "user", colon < 0 ? userInfo : userInfo.slice(0, colon))
    if (colon >= 0) put(found, "password", userInfo.slice(colon + 1))
  }
  const places = hosts.split(",").map((place) => /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place))
  put(found, "host", places.map((place) => (place?.[1] ?? "").replace(/^\[(.*)\]$/, "$1")).join(","))
  put(found, "port", places.map((place) => place?.[2] ?? "").join(","))
  put(found, "dbname", database)
  for (const [at, pair] of query.split("&").entries()) {
    if (pair === "") continue
    const equals = pair.indexOf("=")
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals))
    if (equals < 0 || !isKnown(name)) return Result.fail(unknownParameter(name, at + 1))
    found.set(name, decoded(pair.slice(equals + 1)))
  }
  for (const name of ["host", "port"]) if (/^,*$/.test(found.get(name) ?? "")) found.delete(name)
  return Result.succeed(found)
}

const put = (found: Map<string, string>, name: string, value: string) => {
  if (value !== "") found.set(name, decoded(value))
}

/** What is escaped, unescaped; a `%` that escapes nothing stands for itself. */
const decoded = (text: string): string =>
  text.replace(/(?:%[0-9a-fA-F]{2})+/g, (escaped) => {
    try {
      return decodeURIComponent(escaped)
    } catch {
      return escaped
    }
  })

const pair = /\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?=\s|$)/gsy

const parsePairs = (text: string): Result.Result<Parameters, string> => {
  const found = new Map<string, string>()
  let end = 0
  pair.lastIndex = 0
  for (let at = 1; end < text.length; at++) {
    const parts = pair.exec(text)
    if (parts === null) {
      return Result.fail(
        `cannot be read behind its parameter ${at - 1}: each is written name=value, and a value with blanks in single quotes`
      )
    }
    end = pair.lastIndex
    const name = parts[1]!.toLowerCase()
    if (!isKnown(name)) return Result.fail(unknownParameter(name, at))
    found.set(name, (parts[2] ?? parts[3] ?? "").replace(/\\(.)/gs, "$1"))
  }
  for (const [name, value] of found) if (value === "") found.delete(name)
  return Result.succeed(found)
}

/** Only names that others are known to write are quoted: an unknown one may be a piece of a password. */
const unknownParameter = (name: string, at: number): string =>
  others.has(name)
    ? `has the parameter "${name}", which is not one of libpq's: remove it${others.get(name)}`
    : `has a parameter that libpq does not know (its ${ordinal(at)}): remove it, or, if it is part of the password, write the password's special characters with % and their hexadecimal code`

const ordinal = (at: number): string => ["first", "second", "third"][at - 1] ?? `${at}th`

/** Parameters of other tools that stand in connection strings, with what to do instead. */
const others: ReadonlyMap<string, string> = new Map([
  ["schema", ', and set the option "schema" of the sink'],
  ["currentSchema", ', and set the option "schema" of the sink'],
  ["search_path", ', and set the option "schema" of the sink'],
  ["pgbouncer", "; poolers work as they are"],
  ["connection_limit", ""],
  ["pool_timeout", ""],
  ["pool_size", ""],
  ["max_overflow", ""],
  ["socket_timeout", ""],
  ["statement_cache_size", ""],
  ["prepared_statement_cache_size", ""],
  ["prepareThreshold", ""],
  ["sslaccept", ", and set sslmode"],
  ["sslidentity", ", and set sslcert and sslkey"],
  ["sslfactory", ", and set sslmode"],
  ["charset", ""],
  ["serverVersion", ""],
  ["driver", ""]
])

const isKnown = (name: string): boolean => known.has(name)

const known = new Set([
  "host",
  "hostaddr",
  "port",
  "dbname",
  "user",
  "password",
  "passfile",
  "require_auth",
  "channel_binding",
  "connect_timeout",
  "client_encoding",
  "options",
  "application_name",
  "fallback_application_name",
  "keepalives",
  "keepalives_idle",
  "keepalives_interval",
  "keepalives_count",
  "tcp_user_timeout",
  "replication",
  "gssencmode",
  "krbsrvname",
  "gsslib",
  "gssdelegation",
  "ssl",
  "sslmode",
  "sslnegotiation",
  "sslcompression",
  "sslcert",
  "sslkey",
  "sslpassword",
  "sslcertmode",
  "sslrootcert",
  "sslcrl",
  "sslcrldir",
  "sslsni",
  "ssl_min_protocol_version",
  "ssl_max_protocol_version",
  "min_protocol_version",
  "max_protocol_version",
  "requirepeer",
  "service",
  "servicefile",
  "target_session_attrs",
  "load_balance_hosts",
  "uselibpqcompat"
])
