/**
 * How long a worker leaves a run to others, in milliseconds: for each run it has, before it begins the run of a tick or takes over one
 * whose worker died; and once, before it resumes a run that another worker gave up when it was stopped. A worker that is started
 * then, most likely in that worker's place, resumes such runs at once: a rolling restart moves each run once.
 */
export const waits = {
  begin: { each: 400, longest: 1500 },
  takeOver: { each: 300, longest: 3000 },
  resume: 10_000
} as const

/** How long a worker with so many runs leaves a run to others, which it has met at its first look or later. */
export const waitForOthers = (running: number, what: keyof typeof waits, isFirstLook: boolean): number =>
  what === "resume" ? (isFirstLook ? 0 : waits.resume) : Math.min(waits[what].longest, running * waits[what].each)
