import { createHash, randomUUID } from "node:crypto"
import { createReadStream } from "node:fs"
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { Effect, Stream } from "effect"
import type { NewObject, ObjectStore, Pointed, StoredObject } from "./ObjectStore.ts"
import { StoreDenied, StoreError, StoreFailed } from "./StoreError.ts"

/** Where files are written before they have their name; what is left there belongs to a process that has died. */
const staging = "_sluice/staging"

/** Files of a directory as objects. An object appears whole, on disk, and under a name nobody else had. */
export const directoryStore = (root: string): ObjectStore => {
  const pathOf = (key: string) => join(root, key)

  /** Writes a file under a name of its own, on disk before it is answered, uses it and removes that name. */
  const staged = async <A>(bytes: Uint8Array, use: (path: string) => Promise<A>): Promise<A> => {
    const path = pathOf(`${staging}/${randomUUID()}`)
    await mkdir(dirname(path), { recursive: true })
    try {
      const file = await open(path, "wx")
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      return await use(path)
    } finally {
      await rm(path, { force: true })
    }
  }

  const create = async (key: string, { bytes }: NewObject): Promise<boolean> => {
    const path = pathOf(key)
    await mkdir(dirname(path), { recursive: true })
    return staged(bytes, async (from) => {
      const isNew = await unless("EEXIST", link(from, path))
      await syncDirectory(dirname(path))
      return isNew
    })
  }

  /** A pointer is kept in versions: the process that creates the next one has moved it. The file under its plain name follows. */
  const versions = async (key: string): Promise<ReadonlyArray<number>> => {
    const path = pathOf(key)
    const names = await orNothing(readdir(dirname(path)))
    return (names ?? []).flatMap((name) => versionOf(key, name) ?? []).sort((a, b) => b - a)
  }
  const versionPath = (key: string, version: number) => `${pathOf(key)}.${String(version).padStart(9, "0")}`

  const readPointer = async (key: string): Promise<Pointed | undefined> => {
    const [version] = await versions(key)
    if (version === undefined) return undefined
    const bytes = await orNothing(readFile(versionPath(key, version)))
    // Removed since it was listed: a later one is there.
    return bytes === undefined ? readPointer(key) : { bytes, tag: String(version) }
  }

  const movePointer = async (key: string, before: Pointed | undefined, bytes: Uint8Array): Promise<boolean> => {
    const next = Number(before?.tag ?? 0) + 1
    await mkdir(dirname(pathOf(key)), { recursive: true })
    const isNew = await staged(bytes, (from) => unless("EEXIST", link(from, versionPath(key, next))))
    if (!isNew) return false
    const [newest = next, ...others] = await versions(key)
    if (newest !== next) {
      // Others went further while this process was stopped, and the version it was to follow has been removed since.
      if (!others.includes(next - 1)) await rm(versionPath(key, next), { force: true })
      return false
    }
    await syncDirectory(dirname(pathOf(key)))
    await follow(key)
    for (const version of others.filter((version) => version < next - 1))
      await rm(versionPath(key, version), { force: true })
    return true
  }

  /** Moves the plain name to the newest version, even if other processes do so at the same time. */
  const follow = async (key: string): Promise<void> => {
    for (;;) {
      const now = await readPointer(key)
      if (now === undefined) return
      await staged(now.bytes, (from) => rename(from, pathOf(key)))
      const [newest] = await versions(key)
      if (String(newest) === now.tag) return
    }
  }

  const remove = async (keys: ReadonlyArray<string>): Promise<void> => {
    for (const key of keys) await rm(pathOf(key), { force: true })
  }

  return {
    address: root,
    create: (key, object) => attempt("create", key, () => create(key, object)),
    read: (key) => attempt("read", key, () => orNothing(readFile(pathOf(key)))),
    digest: (key) => attempt("digest", key, () => orNothing(digestOf(pathOf(key)))),
    readPointer: (key) => attempt("read", key, () => readPointer(key)),
    movePointer: (key, before, bytes) => attempt("move", key, () => movePointer(key, before, bytes)),
    list: (prefix) =>
      // Made when it is run: a generator can be read once, and a list may be tried again.
      Stream.suspend(() =>
        Stream.fromAsyncIterable(filesBelow(root, prefix), (cause) => toStoreError("list", prefix, cause))
      ),
    remove: (keys) => attempt("remove", keys[0] ?? "", () => remove(keys)),
    abortUploads: (_, before) => attempt("clear", staging, () => clearStaging(pathOf(staging), before))
  }
}

const versionOf = (key: string, name: string): number | undefined => {
  const plain = key.slice(key.lastIndexOf("/") + 1)
  const version = name.startsWith(`${plain}.`) ? name.slice(plain.length + 1) : ""
  return /^\d{9}$/.test(version) ? Number(version) : undefined
}

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash("sha256")
  await pipeline(createReadStream(path), hash)
  return hash.digest("hex")
}

/** Every file below a directory whose path from there begins so, directory by directory. */
async function* filesBelow(root: string, prefix: string): AsyncGenerator<StoredObject> {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1)
  const entries = (await orNothing(readdir(join(root, folder), { withFileTypes: true }))) ?? []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const key = `${folder}${entry.name}`
    if (!key.startsWith(prefix)) continue
    if (entry.isDirectory()) yield* filesBelow(root, `${key}/`)
    else {
      const found = await orNothing(stat(join(root, key)))
      if (found !== undefined) yield { key, modifiedAt: found.mtimeMs }
    }
  }
}

const clearStaging = async (path: string, before: number): Promise<number> => {
  let cleared = 0
  for (const name of (await orNothing(readdir(path))) ?? []) {
    const found = await orNothing(stat(join(path, name)))
    if (found === undefined || found.mtimeMs >= before) continue
    await rm(join(path, name), { force: true })
    cleared++
  }
  return cleared
}

/** A name is on disk when its directory is. */
const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, "r")
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

const unless = (code: string, work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === code) return false
      throw cause
    }
  )

const orNothing = <A>(work: Promise<A>): Promise<A | undefined> =>
  work.catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined
    throw cause
  })

const attempt = <A>(operation: string, key: string, work: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: work, catch: (cause) => toStoreError(operation, key, cause) })

/** What the machine says, which a user can act on. */
const refusals: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of its path is a file, not a directory"
}

const toStoreError = (operation: string, key: string, cause: unknown): StoreError => {
  const code = (cause as NodeJS.ErrnoException).code ?? ""
  const detail = refusals[code]
  const reason =
    detail === undefined
      ? new StoreFailed({ detail: code === "ENOSPC" ? "the disk is full" : `the file system failed: ${code}`, cause })
      : new StoreDenied({ detail, cause })
  return new StoreError({ operation, key, reason, isRetryable: detail === undefined })
}
