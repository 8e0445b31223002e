import { readFileSync, readlinkSync } from "node:fs"
import { hostname } from "node:os"

/** The file in a held directory that carries the lock. It stays when the holder has gone: what counts is the lock on it. */
export const lockFileName = ".sluice-lock"

/** Who holds a directory, as written into its lock file for the ones it refuses. */
export interface Holder {
  readonly pid: number
  readonly host: string
  /** The PID namespace; null where the system has none. */
  readonly namespace: string | null
  /** When it took the directory. */
  readonly since: string
}

/** This process as a holder. */
export const thisProcess = (): Holder => ({
  pid: process.pid,
  host: hostname(),
  namespace: namespaceOf(),
  since: new Date().toISOString()
})

const namespaceOf = (): string | null => {
  try {
    return readlinkSync("/proc/self/ns/pid")
  } catch {
    return null
  }
}

/** The members of a JSON object that another process wrote; none where the text is anything else. */
export const membersIn = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === "object" && found !== null ? { ...found } : {}
  } catch {
    return {}
  }
}

/** Reads a holder out of text another process wrote; undefined where there is none in it. */
export const holderIn = (text: string): Holder | undefined => {
  const { host, namespace, pid, since } = membersIn(text)
  if (typeof pid !== "number" || typeof host !== "string" || typeof since !== "string") return undefined
  return { pid, host, since, namespace: typeof namespace === "string" ? namespace : null }
}

/** The holder in words; a process id is only of use in the place where it counts. */
export const describeHolder = (holder: Holder | undefined): string => {
  if (holder === undefined) return "another process"
  const { host, namespace, pid, since } = holder
  const here = thisProcess()
  const process = `process ${pid}`
  const place =
    host !== here.host
      ? ` on ${host}`
      : namespace !== here.namespace
        ? ` in another container (PID namespace) on ${host}`
        : ""
  return `${process}${place}, since ${since}`
}

/** When a process started, in clock ticks since boot; null where `/proc` does not say. */
export const startOf = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null
  } catch {
    return null
  }
}
