import type { Progress } from "@sluice/core"
import cliTruncate from "cli-truncate"
import stringWidth from "string-width"
import type { Pace } from "./ProgressPace.ts"

/** Sinks whose lag a line names. */
const mostSinks = 3

/** A part of a line. Those of a higher rank go first where there is no room. */
interface Part {
  readonly text: string
  readonly rank: number
}

/** Pages done and discovered, tokens, pace, how long the rest may take, and which sinks lag. */
const progressParts = (progress: Progress, { left, pagesPerSecond }: Pace): ReadonlyArray<Part> => {
  const { cancelled, completed, discovered, failed } = progress.pages
  const done = completed + failed + cancelled
  return [
    { text: `pages ${done} / ${discovered}${failed > 0 ? ` (${failed} failed)` : ""}`, rank: 0 },
    { text: `landed ${progress.rows.pages}`, rank: 4 },
    { text: `tokens ${progress.tokens.charged}`, rank: 2 },
    { text: `${pagesPerSecond.toFixed(1)} pages/s`, rank: 3 },
    ...(left === undefined
      ? []
      : [{ text: `${left.atMost ? "at most" : "about"} ${duration(left.seconds)} left`, rank: 1 }]),
    ...lagOf(progress).map((text) => ({ text, rank: 5 }))
  ]
}

/** What a pipeline's sinks have not committed of what was delivered; nothing of a lone sink, whose pages are what has landed. */
const lagOf = ({ pages, sinks }: Progress): ReadonlyArray<string> => {
  if (sinks.length < 2) return []
  return sinks
    .map(({ name, pages: committed }) => ({ name, behind: pages.delivered - committed }))
    .filter(({ behind }) => behind > 0)
    .sort((a, b) => b.behind - a.behind)
    .slice(0, mostSinks)
    .map(({ behind, name }) => `${name} ${behind} behind`)
}

/** The parts as one line. */
export const progressText = (progress: Progress, pace: Pace): string =>
  progressParts(progress, pace)
    .map(({ text }) => text)
    .join(", ")

/** The parts that a terminal of so many columns has room for, as one line that does not wrap. */
export const fittedProgress = (progress: Progress, pace: Pace, columns: number): string => {
  let parts = progressParts(progress, pace)
  const line = () => parts.map(({ text }) => text).join(", ")
  while (parts.length > 1 && stringWidth(line()) >= columns) {
    const last = parts.reduce((worst, part) => (part.rank >= worst.rank ? part : worst))
    parts = parts.filter((part) => part !== last)
  }
  return fitted(line(), columns)
}

/** Cuts a line to a terminal: one that wraps could not be redrawn. */
export const fitted = (text: string, columns: number): string => cliTruncate(text, Math.max(1, columns - 1))

/** Seconds as a person says them. */
export const duration = (seconds: number): string => {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
