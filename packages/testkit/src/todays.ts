const day = Math.floor(Date.now() / 86_400_000)

/** Every so manieth of what takes turns in the normal suite: the others on the days after. The soak has all of them, every day. */
export const todays = <A>(all: ReadonlyArray<A>, turns: number): ReadonlyArray<A> =>
  process.env.SLUICE_LONG_TESTS === undefined ? all.filter((_, at) => at % turns === day % turns) : all
