/** A job's own counters, as far as an answer tells them. Null is what it does not tell. */
export interface ToldCounters {
  readonly hasEnded: boolean
  readonly total: number | null
  readonly completed: number | null
  readonly failed: number | null
  readonly cancelled: number | null
  readonly pending: number | null
  readonly charged: number | null
  readonly reserved: number | null
}

/** The same with every counter filled in. */
export type JobCounts = { readonly [C in Exclude<keyof ToldCounters, "hasEnded">]: number }

/**
 * Fills in what an answer does not tell. Of a job that has ended, the one counter that is missing is what the others leave of the
 * total. A completed page costs one token, so completed pages and charged tokens stand for each other. Anything else counts 0: the
 * pages that are read show what is true, and a job whose counters contradict them is not taken for complete.
 */
export const fillCounters = (told: ToldCounters): JobCounts => {
  const { cancelled, charged, completed, failed, hasEnded, total } = told
  const rest = Math.max(0, (total ?? 0) - sum([completed, failed, cancelled, told.pending]))
  const missing = [completed, failed, cancelled].filter((count) => count === null).length
  const isRestOf = (count: number | null) => count === null && missing === 1 && total !== null && hasEnded
  const counts = {
    completed: completed ?? (isRestOf(completed) ? rest : (charged ?? (hasEnded && failed === null ? rest : 0))),
    failed: failed ?? (isRestOf(failed) ? rest : 0),
    cancelled: cancelled ?? (isRestOf(cancelled) ? rest : 0)
  }
  const ended = counts.completed + counts.failed + counts.cancelled
  const all = total ?? ended + (told.pending ?? 0)
  const pending = told.pending ?? Math.max(0, all - ended)
  return {
    ...counts,
    total: all,
    pending,
    charged: charged ?? counts.completed,
    reserved: told.reserved ?? (hasEnded ? 0 : pending)
  }
}

const sum = (counts: ReadonlyArray<number | null>): number =>
  counts.reduce<number>((all, count) => all + (count ?? 0), 0)
