import type { Progress } from "@sluice/core"
import cliTruncate from "cli-truncate"
import { Clock, Effect } from "effect"
import { Environment } from "./Environment.ts"

/** Pauses between two lines: a terminal's is redrawn, others are added. */
const redrawMs = 100
const lineMs = 5_000

/** Says how a run goes, on standard error: one line redrawn on a terminal, a plain line every few seconds elsewhere. */
export interface ProgressLine {
  readonly show: (progress: Progress) => Effect.Effect<void>
  /** Leaves the terminal as it was found. */
  readonly clear: Effect.Effect<void>
}

/** A progress line for this process. */
export const makeProgressLine: Effect.Effect<ProgressLine> = Effect.gen(function* () {
  const { columns, isTerminal } = yield* Environment
  const startedAt = yield* Clock.currentTimeMillis
  let shownAt = isTerminal ? 0 : startedAt
  const write = (text: string) => Effect.sync(() => void process.stderr.write(text))
  return {
    show: (progress) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        if (now - shownAt < (isTerminal ? redrawMs : lineMs)) return
        shownAt = now
        const text = progressText(progress, now)
        yield* write(isTerminal ? `\r\u001b[2K${fitted(text, columns())}` : `${text}\n`)
      }),
    clear: isTerminal ? write("\r\u001b[2K") : Effect.void
  }
})

/** Cuts a line to a terminal: one that wraps could not be redrawn. */
export const fitted = (text: string, columns: number): string => cliTruncate(text, Math.max(1, columns - 1))

/** Pages done and discovered, tokens, pace, and how long the rest may take. */
export const progressText = (progress: Progress, now: number): string => {
  const { cancelled, completed, discovered, failed } = progress.pages
  const done = completed + failed + cancelled
  const seconds = Math.max(0.001, (now - progress.startedAt) / 1000)
  const rate = done / seconds
  const left = discovered > done && rate > 0 ? `, about ${duration((discovered - done) / rate)} left` : ""
  const trouble = failed > 0 ? ` (${failed} failed)` : ""
  return (
    `pages ${done} / ${discovered}${trouble}, landed ${progress.rows.pages}, ` +
    `tokens ${progress.tokens.charged}, ${rate.toFixed(1)} pages/s${left}`
  )
}

/** Seconds as a person says them. */
export const duration = (seconds: number): string => {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
