import { open, readdir, stat } from "node:fs/promises"
import { join } from "node:path"

/** How many files are handed to the disk at once. */
const concurrency = 16

/** Waits until the entries of a directory are on the disk: what was made, renamed or removed in it. */
export const syncDirectory = async (path: string): Promise<void> => {
  // Windows opens no directories, and writes their entries by itself.
  if (process.platform !== "win32") await sync(path, "r")
}

/** Waits until a directory with all beneath it is on the disk; of its files, those changed since a time where one is given. */
export const syncTree = async (path: string, since?: number): Promise<void> => {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const pending = entries.values()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const entry of pending) {
        const found = join(entry.parentPath, entry.name)
        if (since !== undefined && (await stat(found)).mtimeMs < since) continue
        if (entry.isDirectory()) await syncDirectory(found)
        else if (entry.isFile()) await sync(found, "r+")
      }
    })
  )
  await syncDirectory(path)
}

const sync = async (path: string, flags: "r" | "r+"): Promise<void> => {
  const file = await open(path, flags)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
