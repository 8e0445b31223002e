import { DirectoryInUse, holdDirectory } from "../src/index.ts"

// A process that holds a directory, says so and stays, or says why it cannot. `heartbeat` does without the kernel; `blocked` never
// lets its main thread go.
const [directory, ...flags] = process.argv.slice(2)
const former = { path: `${directory}/lock`, format: "pid" } as const
const heartbeat = { every: 50, giveUp: 5_000, patience: 10_000 }
const options = flags.includes("heartbeat") ? { former, tryLock: undefined, heartbeat } : { former }
try {
  await holdDirectory(directory!, options)
  process.stdout.write("held\n")
  if (flags.includes("blocked")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  setInterval(() => undefined, 1_000)
} catch (cause) {
  process.stdout.write(cause instanceof DirectoryInUse ? `refused: ${cause.by}\n` : `failed: ${cause}\n`)
}
