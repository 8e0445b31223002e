import { Console, Effect, Logger } from "effect"
import { type SecretBox, Secrets } from "./Secrets.ts"

/** Prints a result; with {@link printData} the only thing that goes to standard output. */
export const printResult = Effect.fnUntraced(function* (text: string) {
  const secrets = yield* Secrets
  yield* Console.log(secrets.scrub(text))
})

/**
 * Prints data the user asked for, as it is: a password that is also a word must not change what a page says. Nothing but rows goes
 * here, which hold what was crawled and never what a pipeline was told.
 */
export const printData = (text: string) => Console.log(text)

/** Tells the user something beside the result, on standard error. */
export const tell = Effect.fnUntraced(function* (text: string) {
  const secrets = yield* Secrets
  yield* Console.error(secrets.scrub(text))
})

/** Structured logs, one JSON object a line, on standard error. */
export const jsonLogger = (secrets: SecretBox) =>
  Logger.withConsoleError(Logger.map(Logger.formatJson, (line) => secrets.scrub(line)))
