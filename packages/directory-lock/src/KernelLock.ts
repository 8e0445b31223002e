/// <reference path="./fs-native-extensions.d.ts" />
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, writeSync } from "node:fs"
import { describeHolder, type Holder, holderIn } from "./Holder.ts"

/** What came of asking the kernel. */
export type KernelAnswer =
  | { readonly _tag: "Held"; readonly release: () => void }
  | { readonly _tag: "Refused"; readonly by: string }
  | { readonly _tag: "Unsupported" }

/** Locks an open file for this open description of it; false where another has it. */
export type TryLock = (descriptor: number) => boolean

/** The addon; undefined on a platform that it has no binary for. Loaded only where a directory is held. */
export const loadTryLock = async (): Promise<TryLock | undefined> => {
  try {
    return (await import("fs-native-extensions")).default.tryLock
  } catch {
    return undefined
  }
}

/** File systems that keep no locks answer so: FUSE and network mounts without a lock service. */
const unsupported = new Set(["ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL"])

/** How often the file may be replaced under us, by a person who deletes it, before that is an error. */
const attempts = 10

/**
 * Takes the lock of a file from the kernel, which gives it to one open description in all containers of a machine and takes it
 * back when its process ends, however that ends. The file is never deleted: a lock on a deleted file would refuse nobody.
 */
export const kernelLock = (file: string, holder: Holder, tryLock: TryLock): KernelAnswer => {
  for (let attempt = 0; attempt < attempts; attempt++) {
    // Closed on exec, so no child inherits the lock.
    const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o666)
    let isHeld = false
    try {
      isHeld = tryLock(descriptor)
      if (!isHeld) return { _tag: "Refused", by: describeHolder(holderIn(readFileSync(file, "utf8"))) }
      if (!isSameFile(descriptor, file)) {
        isHeld = false
        continue
      }
      // One write of one length: who reads meanwhile finds the old text or the new one.
      writeSync(descriptor, `${JSON.stringify(holder).padEnd(511)}\n`, 0)
      return { _tag: "Held", release: () => closeSync(descriptor) }
    } catch (cause) {
      isHeld = false
      if (unsupported.has((cause as NodeJS.ErrnoException).code ?? "")) return { _tag: "Unsupported" }
      throw cause
    } finally {
      if (!isHeld) closeSync(descriptor)
    }
  }
  throw new Error(`${file} is replaced again and again by another process`)
}

const isSameFile = (descriptor: number, file: string): boolean => {
  const mine = fstatSync(descriptor, { bigint: true })
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found !== undefined && found.ino === mine.ino && found.dev === mine.dev
}
