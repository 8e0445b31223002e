const seedFrom = (given: string | undefined): number => {
  if (given === undefined || given === "") {
    const seed = Math.floor(Math.random() * 1_000_000)
    process.stderr.write(`Sample seed ${seed}. SLUICE_SAMPLE_SEED=${seed} repeats this run's samples.\n`)
    return seed
  }
  const seed = Number(given)
  if (Number.isSafeInteger(seed) && seed >= 0) return seed
  throw new Error(`SLUICE_SAMPLE_SEED is "${given}"; give a whole number from 0`)
}

/** The seed of a run's samples: `SLUICE_SAMPLE_SEED`, else a random number, which is printed. */
export const sampleSeed: number = seedFrom(process.env.SLUICE_SAMPLE_SEED)

/**
 * Picks every nth case, where the seed says with which one it begins; all of them with `SLUICE_LONG_TESTS`. So a suite that runs
 * often tries every case, and a run of it can be repeated.
 */
export const dailySample = <A>(all: ReadonlyArray<A>, nth: number): ReadonlyArray<A> =>
  process.env.SLUICE_LONG_TESTS === undefined ? all.filter((_, at) => at % nth === sampleSeed % nth) : all
