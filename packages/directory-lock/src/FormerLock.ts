import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { uptime } from "node:os"
import { membersIn, startOf } from "./Holder.ts"

/**
 * The lock files of versions before the kernel's lock: they hold a process id. One whose process runs is respected, and one is
 * written, so that an older version does not open what this one holds.
 */
export interface FormerLock {
  readonly path: string
  /** `json` is `{"pid", "started"}`, `pid` the bare number. */
  readonly format: "json" | "pid"
}

/** The process of an older version that holds the directory, if one does. */
export const formerHolder = ({ format, path }: FormerLock): number | undefined => {
  let text: string
  let written: number
  try {
    text = readFileSync(path, "utf8")
    written = statSync(path).mtimeMs
  } catch {
    return undefined
  }
  const found = format === "json" ? jsonLock(text) : pidLock(text)
  if (found === undefined || found.pid === process.pid || !isRunning(found.pid)) return undefined
  const started = startOf(found.pid)
  if (found.started !== null && started !== null) return found.started === started ? found.pid : undefined
  return mayHaveWritten(started, written) ? found.pid : undefined
}

/** Shows an older version that the directory is held; answers what takes that back. Where it cannot be written, none could be read. */
export const markFormer = ({ format, path }: FormerLock): (() => void) => {
  const lock = { pid: process.pid, started: startOf(process.pid), kernel: true }
  try {
    rmSync(path, { force: true })
    writeFileSync(path, format === "json" ? JSON.stringify(lock) : `${process.pid}\n`, { flag: "wx" })
  } catch {
    return () => undefined
  }
  return () => {
    try {
      rmSync(path, { force: true })
    } catch {
      // What is left names a process that has gone.
    }
  }
}

interface FoundLock {
  readonly pid: number
  readonly started: string | null
}

const jsonLock = (text: string): FoundLock | undefined => {
  const { kernel, pid, started } = membersIn(text)
  // This version's own mark: what it held, the kernel knows.
  if (kernel === true || typeof pid !== "number" || pid <= 0) return undefined
  return { pid, started: typeof started === "string" ? started : null }
}

/** By the line feed, this version's own mark differs from an older one's. */
const pidLock = (text: string): FoundLock | undefined =>
  /^[1-9][0-9]*$/.test(text) ? { pid: Number(text), started: null } : undefined

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Clocks and file systems round. */
const slack = 2_000

/** A process that started after the file was written, or a file from before the last boot: the id went to somebody else. */
const mayHaveWritten = (startedTicks: string | null, written: number): boolean => {
  const boot = Date.now() - uptime() * 1_000
  if (written + slack < boot) return false
  // Linux counts 100 ticks a second in all that it shows.
  return startedTicks === null || boot + Number(startedTicks) * 10 <= written + slack
}
