import { randomUUID } from "node:crypto"
import { link, readFile, rename, rm, writeFile } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { Worker } from "node:worker_threads"
import { describeHolder, type Holder, holderIn } from "./Holder.ts"

/** How a heartbeat is written and judged, in milliseconds. */
export interface HeartbeatTimes {
  readonly every: number
  /** A holder that cannot write for so long ends itself; less than `patience`. */
  readonly giveUp: number
  /** A heartbeat that has not moved for so long is of a process that has gone. */
  readonly patience: number
}

/** The times where nobody asks for others. */
export const heartbeatTimes: HeartbeatTimes = { every: 1_000, giveUp: 8_000, patience: 15_000 }

/** How often a stale heartbeat is contested before that is an error. */
const attempts = 5

/** What came of it. */
export type HeartbeatAnswer =
  | { readonly _tag: "Held"; readonly release: () => Promise<void> }
  | { readonly _tag: "Refused"; readonly by: string }

/**
 * Takes a directory by a file that its holder writes again and again, where the kernel keeps no locks. A thread of its own writes
 * it: the embedded database blocks the main one for seconds. Whether it moves is judged by the clock of the one that looks.
 */
export const heartbeatLock = async (file: string, holder: Holder, times: HeartbeatTimes): Promise<HeartbeatAnswer> => {
  const token = randomUUID()
  const mine = `${file}.${token}`
  await writeFile(mine, beatText(token, 0, holder))
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (await linked(mine, file)) return { _tag: "Held", release: await beating(file, token, holder, times) }
      const seen = await readText(file)
      if (seen === undefined) continue
      if (await moves(file, seen, times)) return { _tag: "Refused", by: describeHolder(holderOf(await readText(file))) }
      await removeStale(file, seen, mine)
    }
  } finally {
    await rm(mine, { force: true })
  }
  return { _tag: "Refused", by: "another process that starts at the same time" }
}

const beatText = (token: string, count: number, holder: Holder): string =>
  `${`${token} ${count}\n${JSON.stringify(holder)}`.padEnd(511)}\n`

const holderOf = (text: string | undefined): Holder | undefined =>
  text === undefined ? undefined : holderIn(text.slice(text.indexOf("\n") + 1))

const moves = async (file: string, seen: string, { every, patience }: HeartbeatTimes): Promise<boolean> => {
  for (let waited = 0; waited < patience; waited += every) {
    await pause(every)
    if ((await readText(file)) !== seen) return true
  }
  return false
}

/** Of two that find the same stale file, one moves it away; what was moved is looked at again before it is dropped. */
const removeStale = async (file: string, seen: string, mine: string): Promise<void> => {
  const aside = `${mine}.stale`
  const isMoved = await rename(file, aside).then(
    () => true,
    () => false
  )
  if (!isMoved) return
  if ((await readText(aside)) !== seen) await linked(aside, file)
  await rm(aside, { force: true })
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

const readText = (file: string): Promise<string | undefined> =>
  readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined
    throw cause
  })

const beating = async (
  file: string,
  token: string,
  holder: Holder,
  times: HeartbeatTimes
): Promise<() => Promise<void>> => {
  const text = JSON.stringify(holder)
  const worker = new Worker(`(${beat.toString()})()`, { eval: true, workerData: { file, token, text, ...times } })
  worker.unref()
  return async () => {
    await worker.terminate()
    await rm(file, { force: true })
  }
}

/**
 * What the thread runs: its text is handed over, so that it is found in a bundle too, and it uses nothing from around it. A
 * process that has lost its directory, or could not show for long that it lives, ends before it writes beside the next holder.
 */
const beat = (): void => {
  const { closeSync, openSync, readFileSync, writeSync } = process.getBuiltinModule("node:fs")
  const { workerData } = process.getBuiltinModule("node:worker_threads")
  const { every, file, giveUp, text, token } = workerData
  let count = 0
  let last = performance.now()
  const end = (why: string): void => {
    writeSync(2, `sluice: ${file}: ${why}; this process ends so as not to write beside another\n`)
    process.kill(process.pid, "SIGKILL")
  }
  const tick = (): void => {
    let found: string | undefined
    try {
      found = readFileSync(file, "utf8")
      if (found.startsWith(token)) {
        const descriptor = openSync(file, "r+")
        try {
          writeSync(descriptor, `${`${token} ${++count}\n${text}`.padEnd(511)}\n`, 0)
        } finally {
          closeSync(descriptor)
        }
        last = performance.now()
        return
      }
    } catch {
      // Judged below: a disk that is away for a moment ends nobody.
    }
    if (found !== undefined && found !== "") end("another process has taken the directory over")
    else if (performance.now() - last > giveUp) end("its lock could not be renewed in time")
  }
  setInterval(tick, every)
}
