import { Effect } from "effect"
import { type CliError, invalid } from "./CliError.ts"

const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const

/** The instant that `--since` names, in epoch milliseconds: so long before now, or a date. */
export const sinceOf = (written: string, now: number): Effect.Effect<number, CliError> => {
  const [, amount, unit] = /^(\d{1,6})\s*([mhdw])$/.exec(written.trim()) ?? []
  if (amount !== undefined) return Effect.succeed(now - Number(amount) * units[unit as keyof typeof units])
  const isDate = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(written.trim())
  const at = isDate ? Date.parse(written.trim()) : Number.NaN
  return Number.isNaN(at)
    ? Effect.fail(
        invalid(`--since is a time such as 90m, 24h, 7d or 2w, or a date such as 2026-01-31, and not "${written}"`)
      )
    : Effect.succeed(at)
}
