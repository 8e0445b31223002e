import type { Source } from "@sluice/core"
import { Postgres } from "@sluice/sink-postgres"
import { type ReceivedRequest, Simulator, type SimulatorOptions } from "@sluice/testkit"
import { type Duration, Effect, Latch, Redacted, Schedule } from "effect"
import { type Books, readBooks } from "./Books.ts"
import { begin, type End, type Environment, live } from "./Life.ts"
import { judge } from "./oracle.ts"
import { type Kind, kinds, type Work } from "./Work.ts"

/** Where a run is carried out, by one process after another. */
export interface WorkplaceOptions {
  readonly work: Work
  /** The database, which need not be prepared. */
  readonly url: string
  /** Tells this run from others in the same database. */
  readonly pipeline: string
  readonly simulator?: SimulatorOptions
  /** Reads beyond so many requests are kept waiting until `letGo`, so that the run cannot end before. */
  readonly heldAfter?: number
  /** What every process is told besides. */
  readonly environment?: Environment
  /** A process that lives longer has hung. */
  readonly longestLife?: Duration.Input
}

/** A run that does not end in so many further attempts never will. */
const mostAttempts = 5

/** The database answers within this time again, or it does not come back. */
const longestOutage = "20 seconds"

/** An API, a database and a pipeline that outlive the processes that work on them. */
export const openWorkplace = Effect.fnUntraced(function* (options: WorkplaceOptions) {
  const { heldAfter = Number.POSITIVE_INFINITY, longestLife, pipeline, simulator: played, url, work } = options
  const { kind, seed, source } = work
  // Ids of jobs follow from the seed, and two runs in one database must not be given the same ones.
  const ids = seed * kinds.length + kinds.indexOf(kind)
  const gate = yield* Latch.make()
  let requests = 0
  const hold = ({ method }: ReceivedRequest) =>
    Effect.suspend(() => (++requests > heldAfter && method === "GET" ? gate.await : Effect.void))
  const simulator = yield* Simulator.make({
    seed: ids,
    listLag: seed % 3,
    onRequest: hold,
    ...work.simulator,
    ...played
  })
  const database = yield* Postgres.open({ url })
  // A process need not have lived long enough to prepare the database, nor the server be there at this moment.
  yield* Postgres.migrate(database).pipe(Effect.orDie)
  const given = {
    ...environmentOf(source, { pipeline, url, api: simulator.baseUrl, key: Redacted.value(simulator.apiKey) }),
    ...options.environment
  }
  const chargeLedger = readBooks(database, pipeline).pipe(
    Effect.retry({
      schedule: Schedule.spaced("50 millis"),
      while: (error) => error._tag === "DatabaseError" && error.isRetryable
    }),
    Effect.timeout(longestOutage),
    Effect.orDie
  )
  const isFinal = Effect.map(chargeLedger, ({ runs }) => runs.some((run) => run.is_over))

  /** Resumes the run until it ends. One that has ended is not run again: that would be the next run, which pays for itself. */
  const finish = Effect.fnUntraced(function* () {
    const lives: Array<End> = []
    while (lives.length < mostAttempts && !(yield* isFinal)) lives.push(yield* live(given, longestLife))
    return lives
  })

  return {
    work,
    simulator,
    books: chargeLedger,
    isOver: isFinal,
    finish,
    letGo: Effect.asVoid(gate.open),
    begin: (more: Environment = {}) => begin({ ...given, ...more }, longestLife),
    live: (more: Environment = {}) => live({ ...given, ...more }, longestLife),
    /** Waits until our books look as wanted. */
    until: (wanted: (chargeLedger: Books) => boolean) =>
      Effect.repeat(chargeLedger, { schedule: Schedule.spaced("20 millis"), until: wanted }).pipe(
        Effect.timeout(longestOutage),
        Effect.orDie
      ),
    finding: Effect.map(chargeLedger, (read) => judge(work, read, simulator.charges))
  }
})

const environmentOf = (
  source: typeof Source.Encoded,
  to: { readonly api: string; readonly key: string; readonly url: string; readonly pipeline: string }
): Environment => ({
  API: to.api,
  KEY: to.key,
  DATABASE_URL: to.url,
  PIPELINE: to.pipeline,
  SOURCE: JSON.stringify(source)
})

/** Requests after which something of a run of the default size, or of 150 pages by 3 a poll, has landed, but not all of it. */
export const halfWay: Record<Kind, number> = { crawl: 30, batch: 9, extract: 30 }

/** Whether something of the run stands, and not all of it. */
export const isHalfWay =
  (work: Work) =>
  ({ pages, runs }: Books): boolean =>
    pages.length > 0 && pages.length < work.pages.length && !runs.some((run) => run.is_over)
