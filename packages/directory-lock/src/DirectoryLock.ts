import { join } from "node:path"
import { type FormerLock, formerHolder, markFormer } from "./FormerLock.ts"
import { type HeartbeatTimes, heartbeatLock, heartbeatTimes } from "./Heartbeat.ts"
import { lockFileName, thisProcess } from "./Holder.ts"
import { kernelLock, loadTryLock, type TryLock } from "./KernelLock.ts"

/** Another process holds the directory; `by` says which, in words. */
export class DirectoryInUse extends Error {
  readonly by: string
  constructor(by: string) {
    super(`in use by ${by}`)
    this.by = by
  }
}

/** How a directory is held. */
export interface HoldOptions {
  /** The lock file that versions before this one wrote. */
  readonly former: FormerLock
  /** How to ask the kernel; absent: by the addon. Undefined: not at all. */
  readonly tryLock?: TryLock | undefined
  /** For file systems without locks. */
  readonly heartbeat?: HeartbeatTimes
}

/**
 * Holds a directory for this process alone and answers what gives it back. The lock lies inside the directory, so that containers
 * which see it under other names meet in it. The kernel keeps it; only where the file system has no locks does a heartbeat.
 */
export const holdDirectory = async (directory: string, options: HoldOptions): Promise<() => Promise<void>> => {
  const holder = thisProcess()
  const file = join(directory, lockFileName)
  const tryLock = "tryLock" in options ? options.tryLock : await loadTryLock()
  const answer = tryLock === undefined ? undefined : kernelLock(file, holder, tryLock)
  const held =
    answer === undefined || answer._tag === "Unsupported"
      ? await heartbeatLock(`${file}.heartbeat`, holder, options.heartbeat ?? heartbeatTimes)
      : answer
  if (held._tag === "Refused") throw new DirectoryInUse(held.by)
  const former = formerHolder(options.former)
  if (former !== undefined) {
    await held.release()
    throw new DirectoryInUse(`process ${former}, of an older version`)
  }
  const unmark = markFormer(options.former)
  return async () => {
    unmark()
    await held.release()
  }
}
