/** The first pause after an attempt that failed, and the longest; each is twice as long as the one before, in milliseconds. */
export const retryPauses = { first: 30_000, longest: 15 * 60_000 } as const

/** The pause after so many attempts in a row that failed. */
export const retryPause = (failures: number): number =>
  Math.min(retryPauses.longest, retryPauses.first * 2 ** Math.min(failures - 1, 20))
