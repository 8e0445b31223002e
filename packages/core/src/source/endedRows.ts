import { isTerminal } from "@sluice/contract"
import { Effect, type Schema } from "effect"
import { ScraperError, Unreadable } from "../api/ScraperError.ts"
import { type Recognised, recognise } from "./JobItem.ts"
import type { EndedRow } from "./JobReader.ts"

/**
 * The results of an answer that have ended. One that does not say which page it is, or how far it has come, fails the answer:
 * it could be counted as no page.
 */
export const endedRows = (
  asked: Pick<ScraperError, "operation" | "origin">,
  results: ReadonlyArray<unknown>,
  toRow: (item: unknown, said: Recognised) => Omit<EndedRow, "answer"> | undefined
): Effect.Effect<ReadonlyArray<EndedRow>, ScraperError> => {
  const ended: Array<EndedRow> = []
  for (const [at, item] of results.entries()) {
    const said = recognise(item)
    if (said !== undefined && !isTerminal(said.status)) continue
    const row = said === undefined ? undefined : toRow(item, said)
    if (row === undefined) {
      const detail = `it does not fit the contract: ["results"][${at}] does not say which page it is and how it ended`
      return Effect.fail(new ScraperError({ ...asked, reason: new Unreadable({ detail, broken: false }) }))
    }
    ended.push({ ...row, answer: item as Schema.Json })
  }
  return Effect.succeed(ended)
}
