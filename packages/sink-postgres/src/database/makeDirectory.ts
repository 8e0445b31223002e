import { createHash } from "node:crypto"
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { lockFileName } from "@sluice/directory-lock"
import { syncDirectory, syncTree } from "./syncTree.ts"

/** What is in the directory is no database. */
export class NoDatabase extends Error {}

/** By this file, Postgres tells a database from another directory. */
const mark = "PG_VERSION"
/** Where an empty database is unpacked. While it is there and the mark is not, nothing in the directory is anybody's. */
const unpacking = ".unpacking"

const isOurs = (name: string): boolean => !name.startsWith(lockFileName) && name !== unpacking

/** Whether a directory holds a database; one that is not there, or is half made, does not. */
export const holdsDatabase = async (path: string): Promise<boolean> => {
  try {
    return (await readdir(path)).includes(mark)
  } catch {
    return false
  }
}

/** Refuses a directory with files that are neither a database nor one half made, before anything is written into it. */
export const assertDatabaseOrEmpty = async (path: string): Promise<void> => {
  const found = await readdir(path)
  if (found.includes(mark) || found.includes(unpacking)) return
  if (found.some(isOurs)) throw new NoDatabase()
}

/**
 * Fills a directory with an empty database, unless it holds one: all of it or nothing that passes for one. Every file is compared
 * with the archive and is on the disk before the mark is written, which comes last. What a process has left that died before, or
 * that found no room, is removed and made again. The caller holds the directory's lock.
 */
export const makeDirectory = async (path: string): Promise<void> => {
  await assertDatabaseOrEmpty(path)
  const found = await readdir(path)
  const fresh = join(path, unpacking)
  if (found.includes(mark)) return await rm(fresh, { recursive: true, force: true })
  // First the parts that were moved, while what says that they are nobody's is there.
  for (const name of found.filter(isOurs)) await rm(join(path, name), { recursive: true, force: true })
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh)
  const { unpack } = await import("./unpackDatabase.ts")
  const hashes = await unpack(fresh)
  for (const [name, hash] of hashes) await verify(join(fresh, name), hash)
  await syncTree(fresh)
  for (const name of await readdir(fresh)) if (name !== mark) await rename(join(fresh, name), join(path, name))
  await syncDirectory(path)
  await rename(join(fresh, mark), join(path, mark))
  await syncDirectory(path)
  await rm(fresh, { recursive: true, force: true })
}

/** A file that is not what was written: the disk, or somebody else, changed it. */
const verify = async (file: string, hash: string): Promise<void> => {
  if (hashOf(await readFile(file)) !== hash) throw new Error(`${file} is not what was written to it`)
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")
