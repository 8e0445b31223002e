import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Schedule, type Scope } from "effect"
import { freePort } from "./freePort.ts"
import type { PostgresServer } from "./PostgresServer.ts"

const places = ["/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"]

/** Where the executable of PgBouncer is; undefined where it is not installed. */
export const poolerPath: string | undefined = places.find((place) => existsSync(place))

/** How a pooler hands out connections. */
export interface PoolerOptions {
  readonly mode?: "transaction" | "session"
  /** Connections to the server that it makes for a database and a role. */
  readonly poolSize?: number
}

/**
 * PgBouncer before a server, for the scope: statements of two transactions may meet different connections, and one connection
 * serves many clients. Roles log in with the passwords of their URLs. Answers how a database of that server is reached.
 */
export const pooler = (
  server: PostgresServer,
  { mode = "transaction", poolSize = 3 }: PoolerOptions = {}
): Effect.Effect<(databaseUrl: string) => string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const port = yield* Effect.promise(freePort)
    const upstream = new URL(server.url)
    yield* Effect.acquireRelease(
      Effect.sync(() => startPooler(upstream, port, mode, poolSize)),
      ({ child, directory }) =>
        Effect.promise(async () => {
          const ended = new Promise((resolve) => child.once("exit", resolve))
          if (child.exitCode === null && child.kill("SIGKILL")) await ended
          rmSync(directory, { recursive: true, force: true })
        })
    )
    yield* Effect.repeat(answers(port), { schedule: Schedule.spaced("25 millis"), until: (isUp) => isUp }).pipe(
      Effect.timeout("30 seconds")
    )
    return (databaseUrl: string) => {
      const url = new URL(databaseUrl)
      url.host = `127.0.0.1:${port}`
      return url.href
    }
  }).pipe(Effect.orDie)

/** It trusts its clients and passes no password on, so the server's roles are named with theirs. */
const startPooler = (upstream: URL, port: number, mode: string, poolSize: number) => {
  if (poolerPath === undefined) throw new Error("PgBouncer is not installed")
  const directory = mkdtempSync(join(tmpdir(), "sluice-pooler-"))
  const login = `user=${decodeURIComponent(upstream.username)} password=${decodeURIComponent(upstream.password)}`
  writeFileSync(
    join(directory, "pgbouncer.ini"),
    `[databases]
* = host=${upstream.hostname} port=${upstream.port} ${login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${poolSize}
server_reset_query =
ignore_startup_parameters = extra_float_digits
query_wait_timeout = 20
`
  )
  chmodSync(directory, 0o755)
  // It refuses to run as root.
  const asWhom = process.getuid?.() === 0 ? ["-u", hasUser("postgres") ? "postgres" : "nobody"] : []
  const child: ChildProcess = spawn(poolerPath, ["-q", ...asWhom, join(directory, "pgbouncer.ini")], {
    stdio: "ignore"
  })
  return { child, directory }
}

const hasUser = (name: string): boolean => spawnSync("id", [name], { stdio: "ignore" }).status === 0

const answers = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.once("error", () => resume(Effect.succeed(false)))
  })
