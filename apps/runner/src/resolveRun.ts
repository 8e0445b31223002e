import type { Ledger } from "@sluice/core"
import { Effect, Option } from "effect"
import { type CliError, invalid } from "./CliError.ts"
import { ledgerCliError } from "./cliErrors.ts"
import type { PipelineFile } from "./PipelineFile.ts"
import { openReaderOf } from "./runsReader.ts"

/** Candidates that a sentence names. */
const mostNamed = 5

const fullId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether a text is a whole run ID: then nothing has to be looked up. */
export const isFullId = (text: string): boolean => fullId.test(text)

/** The one ID among candidates; refused where there is none, or more than one. */
export const oneRun = (written: string, candidates: ReadonlyArray<string>): Effect.Effect<string, CliError> => {
  const [only, second] = candidates
  if (only === undefined) {
    return Effect.fail(invalid(`there is no run whose ID begins with "${written}": see sluice runs`))
  }
  if (second === undefined) return Effect.succeed(only)
  const named = candidates.slice(0, mostNamed).join(", ")
  const more = candidates.length > mostNamed ? " and others" : ""
  return Effect.fail(invalid(`"${written}" is the beginning of several run IDs: ${named}${more}; write more of it`))
}

/** Whether a text can be the beginning of a run ID. */
const isPrefix = (text: string): boolean => /^[0-9a-f][0-9a-f-]{0,35}$/i.test(text)

/** The run that a ledger has under an ID or the beginning of one. */
export const resolveIn = Effect.fnUntraced(function* (ledger: Ledger, written: string) {
  if (isFullId(written)) return written
  const found = isPrefix(written)
    ? yield* ledger
        .runs({ idPrefix: written.toLowerCase(), limit: mostNamed + 1 })
        .pipe(Effect.mapError(ledgerCliError))
    : []
  return yield* oneRun(
    written,
    found.map(({ runId }) => runId)
  )
})

/** The same by the ledger of a pipeline file, which is opened only for the beginning of an ID. */
export const resolveRun = (file: PipelineFile, written: string) =>
  isFullId(written)
    ? Effect.succeed(written)
    : Effect.scoped(Effect.flatMap(openReaderOf(Option.some(file)), (ledger) => resolveIn(ledger, written)))
