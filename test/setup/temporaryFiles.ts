import { execFile } from "node:child_process"
import { chmod, mkdtemp, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises"
import { freemem } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const memory = "/dev/shm"

/** What a run may need at its height; a container without a share of its own that large keeps its files on the disk. */
const leastFree = 4 * 1024 ** 3

/** Whether programs may be run from there. */
const isExecutable = async (directory: string): Promise<boolean> => {
  const program = join(directory, "program")
  await writeFile(program, "#!/bin/sh\n", { mode: 0o755 })
  try {
    await promisify(execFile)(program)
    return true
  } catch {
    return false
  } finally {
    await rm(program)
  }
}

const prefix = "sluice-tests-"

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Takes away the disks that tests have mounted below a directory: one of a killed run would hold it for ever. */
const unmountBelow = async (directory: string): Promise<void> => {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "")
  const below = mounts
    .split("\n")
    .flatMap((line) => line.split(" ")[1] ?? [])
    .filter((path) => path.startsWith(`${directory}/`))
  for (const path of below.reverse()) await promisify(execFile)("umount", ["--lazy", path]).catch(() => undefined)
}

const remove = async (directory: string): Promise<void> => {
  await unmountBelow(directory)
  await rm(directory, { recursive: true, force: true, maxRetries: 10 })
}

/** Frees what runs have left that were killed: it would take memory until the machine is started again. */
const removeStale = async (): Promise<void> => {
  for (const name of await readdir(memory)) {
    const pid = Number.parseInt(name.slice(prefix.length), 10)
    // What belongs to another user is left to them.
    if (name.startsWith(prefix) && !isAlive(pid)) await remove(join(memory, name)).catch(() => undefined)
  }
}

/**
 * Keeps what tests write to temporary directories in memory, databases of servers foremost: two thirds of the kernel's time for
 * a migration went into the file system of the disk. A `TMPDIR` that is given wins.
 */
export default async (): Promise<(() => Promise<void>) | undefined> => {
  if (process.env.TMPDIR !== undefined || process.platform !== "linux" || freemem() < 2 * leastFree) return undefined
  const free = await statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0
  )
  if (free < leastFree) return undefined
  await removeStale()
  const directory = await mkdtemp(join(memory, `${prefix}${process.pid}-`)).catch(() => undefined)
  if (directory === undefined) return undefined
  // Servers run as users of their own.
  await chmod(directory, 0o1777)
  if (!(await isExecutable(directory))) {
    await remove(directory)
    return undefined
  }
  process.env.TMPDIR = directory
  // A server of another project may still be writing there, so it is tried more than once.
  return () => remove(directory)
}
