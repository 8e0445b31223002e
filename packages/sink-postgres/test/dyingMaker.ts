import fs, { writeFileSync as writeHalf, writeSync } from "node:fs"
import { syncBuiltinESMExports } from "node:module"

// Makes an embedded database and is killed at a call of the file system: before it, after it, or with half a file written. It says
// which call that was; without one it says `done`.
const [directory, name, count, moment] = process.argv.slice(2)

type Call = (...args: ReadonlyArray<unknown>) => unknown

let calls = 0

const die = (args: ReadonlyArray<unknown>): void => {
  const where = String(args[0]).slice(directory!.length)
  writeSync(1, `killed ${moment} ${name} ${count}, ${where}\n`)
  process.kill(process.pid, "SIGKILL")
  // The signal arrives at once, but nothing may come between.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

const watch = (target: object): void => {
  const original = Reflect.get(target, name!) as Call
  const watched: Call = (...args) => {
    calls += 1
    if (calls !== Number(count)) return Reflect.apply(original, target, args)
    if (moment === "half" && args[1] instanceof Uint8Array) {
      const [path, bytes] = args
      writeHalf(String(path), bytes.subarray(0, bytes.length >> 1))
      die(args)
    }
    if (moment === "before") die(args)
    const answer = Reflect.apply(original, target, args)
    if (answer instanceof Promise) return answer.then(() => die(args))
    die(args)
    return answer
  }
  Reflect.set(target, name!, watched)
}

if (name !== undefined) {
  watch(name.endsWith("Sync") ? fs : fs.promises)
  syncBuiltinESMExports()
}
const { makeDirectory } = await import("../src/database/makeDirectory.ts")
await makeDirectory(directory!)
writeSync(1, "done\n")
