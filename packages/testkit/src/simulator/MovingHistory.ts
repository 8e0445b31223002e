import { isTerminal, type JobStatus } from "@sluice/contract"
import * as fc from "fast-check"
import type { HistoryRow, JobHistory, JobState } from "./JobHistory.ts"
import { makeRng, type Rng, roll, shuffled } from "./Rng.ts"

/** In which order a job lists its rows, and how that changes. */
export const rowOrders = ["discovery", "ending", "newest-first", "inserted", "flipping", "shuffled"] as const

/** What a moving job does. Shares are from 0 to 1. */
export interface MovingOptions {
  readonly seed: number
  readonly pages: number
  /** Steps the job takes to end, and how many polls each of them lasts. */
  readonly steps: number
  readonly pollsPerStep: number
  readonly order: (typeof rowOrders)[number]
  /** Which rows are listed: all known ones, those that have ended, or slices cut over all of which the open ones are missing. */
  readonly listing: "all" | "ended" | "ended-after-cut"
  readonly end: "completed" | "failed" | "cancelled"
  readonly failedShare: number
  readonly cancelledShare: number
  /** Pages at the front that end in the last step only. */
  readonly stuck: number
  /** The chance of a poll to show an older state, */
  readonly staleShare: number
  /** of a row to be listed twice, */
  readonly repeatedShare: number
  /** of a slice to be cut short, */
  readonly shortShare: number
  /** and of counters and rows to be of different steps. */
  readonly tornShare: number
  /** Polls after the end that still misbehave so. From then on the job no longer changes. */
  readonly unrestAfterEnd: number
}

/** A moving job with its oracle. */
export interface MovingHistory extends JobHistory {
  readonly options: MovingOptions
  /** Every page that ends, by URL, and how: what a reader has to deliver, each once. */
  readonly terminal: ReadonlyMap<string, JobStatus>
  /** The first poll that shows the job's end. */
  readonly endsAt: number
}

interface Life {
  readonly row: HistoryRow
  readonly place: number
  readonly foundAt: number
  /** The step it ends in; infinity where it never does. */
  readonly endsAt: number
  readonly end: JobStatus
}

/** A job that moves between polls as the options say: the same options, the same job. */
export const movingHistory = (options: MovingOptions): MovingHistory => {
  const { pollsPerStep, seed, steps, unrestAfterEnd } = options
  const lives = inPlace(options.order, livesOf(options))
  const countersAt = Array.from({ length: steps + 1 }, (_, step) => counters(options, lives, step))
  const terminal = new Map(lives.filter((life) => life.endsAt <= steps).map((life) => [life.row.url, life.end]))
  const endsAt = steps * pollsPerStep
  return {
    options,
    terminal,
    endsAt,
    at: (poll) => {
      const next = makeRng(seed, "poll", poll)
      const reordering = poll < endsAt + unrestAfterEnd
      const now = Math.min(steps, Math.floor(poll / pollsPerStep))
      const step = reordering && next() < options.staleShare ? Math.max(0, now - 1 - roll(next, 3)) : now
      const torn = reordering && next() < options.tornShare
      const rows = listed(options, lives, torn ? Math.max(0, step - 1) : step, reordering ? poll : endsAt, reordering)
      const short = reordering && next() < options.shortShare ? 1 + roll(next, 10) : 0
      return { ...countersAt[step]!, rows: cut(options, rows, short) }
    }
  }
}

const livesOf = (options: MovingOptions): ReadonlyArray<Life> => {
  const next = makeRng(options.seed, "lives")
  const brokenOff = options.end === "completed" ? 0 : 0.3
  return Array.from({ length: options.pages }, (_, index): Life => {
    const late = index < options.stuck
    const endsAt = late ? options.steps : 1 + roll(next, options.steps)
    const ending = next()
    const end =
      ending < options.failedShare
        ? "failed"
        : ending < options.failedShare + options.cancelledShare
          ? "cancelled"
          : "completed"
    return {
      row: {
        url: `https://moving.test/${options.seed}/${index}`,
        parentUrl: index === 0 ? null : `https://moving.test/${options.seed}/0`,
        depth: index === 0 ? 1 : 2,
        status: "queued"
      },
      place: next(),
      foundAt: index === 0 || late ? 0 : roll(next, endsAt),
      endsAt: index > 0 && next() < brokenOff ? Number.POSITIVE_INFINITY : endsAt,
      end
    }
  })
}

const counters = (options: MovingOptions, lives: ReadonlyArray<Life>, step: number): Omit<JobState, "rows"> => {
  const count = (end: JobStatus) => lives.filter((life) => life.endsAt <= step && life.end === end).length
  return {
    status: step >= options.steps ? options.end : step === 0 ? "queued" : "processing",
    total: lives.filter((life) => life.foundAt <= step).length,
    completed: count("completed"),
    failed: count("failed"),
    cancelled: count("cancelled")
  }
}

const listed = (
  options: MovingOptions,
  lives: ReadonlyArray<Life>,
  step: number,
  poll: number,
  reordering: boolean
): ReadonlyArray<HistoryRow> => {
  const next = makeRng(options.seed, "rows", poll)
  const known = lives.filter((life) => (options.listing === "ended" ? life.endsAt : life.foundAt) <= step)
  const rows = moved(options.order, known, poll, next).map(
    ({ end, endsAt, row }): HistoryRow =>
      endsAt > step
        ? { ...row, status: endsAt === step + 1 ? "processing" : "queued" }
        : end === "failed"
          ? { ...row, status: end, errorCode: "FETCH_FAILED", errorMessage: "The page answered with 500" }
          : { ...row, status: end }
  )
  return reordering ? rows.flatMap((row) => (next() < options.repeatedShare ? [row, row] : [row])) : rows
}

/** Lives in the order their rows stand in, as far as it stays the same. */
const inPlace = (order: MovingOptions["order"], lives: ReadonlyArray<Life>): ReadonlyArray<Life> => {
  switch (order) {
    case "discovery":
      return lives.toSorted((a, b) => a.foundAt - b.foundAt)
    case "ending":
      return lives.toSorted((a, b) => (a.endsAt === b.endsAt ? 0 : a.endsAt - b.endsAt))
    case "newest-first":
      return lives.toSorted((a, b) => b.foundAt - a.foundAt)
    case "inserted":
      return lives.toSorted((a, b) => a.place - b.place)
    case "flipping":
    case "shuffled":
      return lives
  }
}

/** The order of one poll, where polls differ. */
const moved = (
  order: MovingOptions["order"],
  lives: ReadonlyArray<Life>,
  poll: number,
  next: Rng
): ReadonlyArray<Life> => {
  switch (order) {
    case "flipping":
      return poll % 2 === 0 ? lives : lives.toReversed()
    case "shuffled":
      return shuffled(next, lives)
    default:
      return lives
  }
}

const cut = (options: MovingOptions, rows: ReadonlyArray<HistoryRow>, short: number): JobState["rows"] => ({
  length: rows.length,
  slice: (start, end) => {
    const slice = rows.slice(start, Math.max(start, end - short))
    return options.listing === "ended-after-cut" ? slice.filter((row) => isTerminal(row.status)) : slice
  }
})

const share = (max: number) => fc.double({ min: 0, max, noNaN: true })
const often = <A>(usual: A, rare: fc.Arbitrary<A>) => fc.oneof(fc.constant(usual), rare)

/** Any {@link MovingOptions}. With `unrestAfterEnd` of at most 2, a reader with three sweeps can always reconcile. */
export const arbitraryMovingOptions: fc.Arbitrary<MovingOptions> = fc.record({
  seed: fc.integer({ min: 0, max: 1_000_000 }),
  pages: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 400 })),
  steps: fc.integer({ min: 1, max: 25 }),
  pollsPerStep: fc.integer({ min: 1, max: 3 }),
  order: fc.constantFrom(...rowOrders),
  listing: fc.constantFrom("all" as const, "ended" as const, "ended-after-cut" as const),
  end: often("completed" as const, fc.constantFrom("failed" as const, "cancelled" as const)),
  failedShare: often(0, share(0.4)),
  cancelledShare: often(0, share(0.3)),
  stuck: often(0, fc.integer({ min: 1, max: 60 })),
  staleShare: often(0, share(0.4)),
  repeatedShare: often(0, share(0.3)),
  shortShare: often(0, share(0.4)),
  tornShare: often(0, share(0.4)),
  unrestAfterEnd: fc.integer({ min: 0, max: 2 })
})

/** Moving jobs of every kind, for property tests of whatever reads them. */
export const arbitraryHistory: fc.Arbitrary<MovingHistory> = arbitraryMovingOptions.map(movingHistory)
