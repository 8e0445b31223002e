import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import { link, readFile, rename, rm, writeFile } from "node:fs/promises"

/** Another process holds the directory. */
export class DirectoryInUse extends Error {
  readonly pid: number
  constructor(pid: number) {
    super(`in use by process ${pid}`)
    this.pid = pid
  }
}

/**
 * Takes the lock file for this process and answers what gives it back. A lock whose process has gone (also by kill -9, also
 * where its pid has been given to another process since, on Linux) is taken over.
 */
export const lockDirectory = async (path: string): Promise<() => Promise<void>> => {
  const mine = `${path}.${process.pid}.${randomUUID().slice(0, 8)}`
  await writeFile(mine, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }))
  try {
    while (!(await linked(mine, path))) await removeStale(path, mine)
  } finally {
    await rm(mine, { force: true })
  }
  return () => rm(path, { force: true })
}

/** A hard link appears with its content or not at all. */
const linked = (from: string, to: string): Promise<boolean> =>
  link(from, to).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === "EEXIST") return false
      throw cause
    }
  )

/** Of two processes that find the same stale lock, one moves it away; what was moved is judged again before it is dropped. */
const removeStale = async (path: string, mine: string): Promise<void> => {
  const holder = await readHolder(path)
  if (holder === undefined) return
  if (isAlive(holder)) throw new DirectoryInUse(holder.pid)
  const aside = `${mine}.stale`
  const moved = await rename(path, aside).then(
    () => true,
    () => false
  )
  if (!moved) return
  const found = await readHolder(aside)
  if (found !== undefined && isAlive(found)) await linked(aside, path)
  await rm(aside, { force: true })
}

interface Holder {
  readonly pid: number
  readonly started: string | null
}

const readHolder = async (path: string): Promise<Holder | undefined> => {
  try {
    const holder: Holder = JSON.parse(await readFile(path, "utf8"))
    return holder
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ENOENT" ? undefined : { pid: 0, started: null }
  }
}

/** This process does not wait for itself: it opens a directory once, so a lock in its name was left by a namesake. */
const isAlive = (holder: Holder): boolean => {
  if (holder.pid <= 0 || holder.pid === process.pid) return false
  try {
    process.kill(holder.pid, 0)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return false
  }
  const started = startOf(holder.pid)
  return holder.started === null || started === null || started === holder.started
}

/** When a process started, in ticks since boot; null where `/proc` does not tell. */
const startOf = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null
  } catch {
    return null
  }
}
