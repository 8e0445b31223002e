import { execFile } from "node:child_process"
import { chmod, mkdtemp, rm, statfs, writeFile } from "node:fs/promises"
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

/**
 * Keeps what tests write to temporary directories in memory, databases of servers foremost: half of the time that a run spent in
 * the kernel went into the journal of its disk. A `TMPDIR` that is given wins.
 */
export default async (): Promise<(() => Promise<void>) | undefined> => {
  if (process.env.TMPDIR !== undefined || process.platform !== "linux" || freemem() < 2 * leastFree) return undefined
  const free = await statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0
  )
  if (free < leastFree) return undefined
  const directory = await mkdtemp(join(memory, "sluice-")).catch(() => undefined)
  if (directory === undefined) return undefined
  // A server of another project may still be writing there.
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 10 })
  // Servers run as users of their own.
  await chmod(directory, 0o1777)
  if (!(await isExecutable(directory))) {
    await remove()
    return undefined
  }
  process.env.TMPDIR = directory
  return remove
}
