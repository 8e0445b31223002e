import { Console, Context, Effect, Formatter, Logger } from "effect"
import type { SecretBox } from "./Secrets.ts"

/** Whether this process has printed a result. */
export const Printed: Context.Reference<{ any: boolean }> = Context.Reference("@sluice/runner/Printed", {
  defaultValue: (): { any: boolean } => ({ any: false })
})

/** Prints a result, as it is: the only thing that goes to standard output. */
export const printResult = Effect.fnUntraced(function* (text: string) {
  const printed = yield* Printed
  printed.any = true
  yield* Console.log(text)
})

/** Tells the user something beside the result, on standard error. */
export const tell = (text: string) => Console.error(text)

/** Structured logs, one JSON object a line, on standard error. Of an entry, the cause alone is a text that nobody composed. */
export const jsonLogger = (secrets: SecretBox) =>
  Logger.withConsoleError(
    Logger.map(Logger.formatStructured, ({ cause, ...entry }) =>
      Formatter.formatJson({ ...entry, ...(cause === undefined ? {} : { cause: secrets.redact(cause) }) })
    )
  )
