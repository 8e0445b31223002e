import { Effect } from "effect"
import { looseInstant, looseInteger } from "../record/looseValues.ts"
import { isMembers, membersOf, misfit } from "./answerFrame.ts"
import type { Unreadable } from "./ScraperError.ts"

/** What an account has been charged, by the API's own account. */
export interface AccountUsage {
  /** Tokens by the instant each day begins at, epoch milliseconds; days without any may be missing. */
  readonly days: ReadonlyArray<{ readonly at: number; readonly tokens: number }>
  /** Tokens of the whole period; null where that is not told. */
  readonly total: number | null
}

/** The tokens of an answer about statistics. A day that does not tell when it was, or how much, spoils all: the rest would be too little. */
export const accountUsage = (raw: unknown): Effect.Effect<AccountUsage, Unreadable> =>
  Effect.flatMap(membersOf(raw), ({ period_tokens_used: period, tokens_used: rows }) => {
    if (!Array.isArray(rows)) return misfit('["tokens_used"]')
    const days = rows.map((row) => {
      const { date, tokens_used } = isMembers(row) ? row : {}
      return { at: looseInstant(date), tokens: looseInteger(tokens_used, false) }
    })
    const total = looseInteger(period, false)
    const whole = days.filter(
      (day): day is { at: number; tokens: number } => typeof day.at === "number" && typeof day.tokens === "number"
    )
    if (whole.length < days.length) return misfit('["tokens_used"]')
    return Effect.succeed({ days: whole, total: typeof total === "number" ? total : null })
  })
