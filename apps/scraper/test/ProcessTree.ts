import { readdirSync, readFileSync } from "node:fs"
import { Option } from "effect"

/** A process of this machine, as `/proc` tells. */
export interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

const read = Option.liftThrowable((path: string) => readFileSync(path, "utf8"))

const factsOf = (pid: number): ReadonlyArray<ProcessFacts> => {
  // The name stands in brackets and may hold anything; the state and the parent follow it.
  const stat = Option.getOrElse(read(`/proc/${pid}/stat`), () => "")
  const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  if (parent === undefined || state === "Z") return []
  return [{ pid, parent: Number(parent), command: Option.getOrElse(read(`/proc/${pid}/cmdline`), () => "") }]
}

/** The processes that a process has started, and those that they have; those that have ended are left out. */
export const descendantsOf = (ancestor: number): ReadonlyArray<ProcessFacts> => {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  const facts = all.flatMap((name) => factsOf(Number(name)))
  const found: Array<ProcessFacts> = []
  let level = [ancestor]
  while (level.length > 0) {
    const next = facts.filter(({ parent }) => level.includes(parent))
    found.push(...next)
    level = next.map(({ pid }) => pid)
  }
  return found
}

/** The browsers that this process runs, each by its main process. */
export const browsers = (): ReadonlyArray<number> =>
  descendantsOf(process.pid)
    .filter(({ command }) => command.includes("--remote-debugging-pipe") && !command.includes("--type="))
    .map(({ pid }) => pid)

/** Memory of a process in MiB: its own, and its part of what it shares. */
export const memoryOf = (pid: number): number => {
  const rollup = Option.getOrElse(read(`/proc/${pid}/smaps_rollup`), () => "")
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1024
}
