import { isTerminal } from "@sluice/contract"
import type { Schema } from "effect"
import { type Recognised, recognise } from "./JobItem.ts"
import type { EndedRow } from "./JobReader.ts"

/** The results of an answer: those that have ended, and those that cannot be counted, as they came. */
export interface SplitResults {
  readonly ended: ReadonlyArray<EndedRow>
  /** They do not say which page they are, or how far it has come. Absent where there are none. */
  readonly uncountable?: ReadonlyArray<unknown>
}

/** Splits the results of an answer. A result that is still in work is in neither part. */
export const splitResults = (
  results: ReadonlyArray<unknown>,
  toRow: (item: unknown, said: Recognised) => Omit<EndedRow, "answer"> | undefined
): SplitResults => {
  const ended: Array<EndedRow> = []
  const uncountable: Array<unknown> = []
  for (const item of results) {
    const said = recognise(item)
    if (said !== undefined && !isTerminal(said.status)) continue
    const row = said === undefined ? undefined : toRow(item, said)
    if (row === undefined) uncountable.push(item)
    else ended.push({ ...row, answer: item as Schema.Json })
  }
  return uncountable.length === 0 ? { ended } : { ended, uncountable }
}
