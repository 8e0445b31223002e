import { open, rename, rm } from "node:fs/promises"
import { Effect, Schema, type Scope } from "effect"
import { failed } from "./CliError.ts"
import { Environment, writeStdout } from "./Environment.ts"
import { Printed } from "./Output.ts"

/** The reader of standard output has closed it, as `head` does: there is nothing more to write. */
export class OutputClosed extends Schema.TaggedError<OutputClosed>()("OutputClosed", {}) {}

/** Writes what follows, and waits until it can take more. */
export type RowOutput = (chunk: string | Uint8Array) => Effect.Effect<void, OutputClosed | ReturnType<typeof failed>>

/** Standard output. */
export const standardOutput: Effect.Effect<RowOutput> = Effect.gen(function* () {
  const { writeOutput = writeStdout } = yield* Environment
  const printed = yield* Printed
  return (chunk) =>
    Effect.suspend(() => {
      if (chunk.length === 0) return Effect.void
      printed.any = true
      return Effect.tryPromise({
        try: () => writeOutput(chunk),
        catch: (cause) =>
          codeOf(cause) === "EPIPE"
            ? new OutputClosed({})
            : failed(`standard output cannot be written to (${codeOf(cause)})`)
      })
    })
})

/** A file, which appears under its name when the scope ends well; what it replaces stays until then. */
export const fileOutput = Effect.fnUntraced(function* (
  file: string
): Effect.fn.Return<RowOutput, ReturnType<typeof failed>, Scope.Scope> {
  const partial = `${file}.${process.pid}.partial`
  const refused = (cause: unknown) => failed(`${file} cannot be written to (${codeOf(cause)})`)
  const handle = yield* Effect.acquireRelease(
    Effect.tryPromise({ try: () => open(partial, "w"), catch: refused }),
    (handle, exit) =>
      Effect.promise(async () => {
        await handle.close()
        if (exit._tag === "Failure") await rm(partial, { force: true })
        else await rename(partial, file)
      })
  )
  return (chunk) =>
    chunk.length === 0 ? Effect.void : Effect.tryPromise({ try: () => handle.writeFile(chunk), catch: refused })
})

const codeOf = (cause: unknown): string => (cause instanceof Error && "code" in cause ? String(cause.code) : "failed")
