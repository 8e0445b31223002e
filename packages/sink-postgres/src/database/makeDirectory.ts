import { mkdir, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { ReadableStream } from "node:stream/web"

/** What is in the directory is no database. */
export class NoDatabase extends Error {}

/** By this file, Postgres tells a database from another directory. */
const mark = "PG_VERSION"
/** Where an empty database is unpacked. While it is there and the mark is not, nothing in the directory is anybody's. */
const unpacking = ".unpacking"

/**
 * Fills an empty directory with an empty database, unless it holds one. The mark comes last, so a process that dies meanwhile
 * leaves nothing that passes for a database, and the next begins anew. The caller holds the directory's lock.
 */
export const makeDirectory = async (path: string): Promise<void> => {
  const found = await readdir(path)
  if (found.includes(mark)) return
  if (found.length > 0 && !found.includes(unpacking)) throw new NoDatabase()
  for (const name of found) if (name !== unpacking) await rm(join(path, name), { recursive: true, force: true })
  const fresh = join(path, unpacking)
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh)
  const [{ dataDir }, { x }] = await Promise.all([import("@electric-sql/pglite-prepopulatedfs"), import("tar")])
  const archive = (await dataDir()).stream() as ReadableStream<Uint8Array>
  await pipeline(Readable.fromWeb(archive), x({ cwd: fresh }))
  for (const name of await readdir(fresh)) if (name !== mark) await rename(join(fresh, name), join(path, name))
  await rename(join(fresh, mark), join(path, mark))
  await rm(fresh, { recursive: true, force: true })
}
