import type { Database } from "@sluice/sink-postgres"
import { Effect } from "effect"

/** What a piece of work took. */
export interface Measured {
  readonly seconds: number
  /** The most memory its process came to, in MB. */
  readonly rss: number
  /** What the server logged ahead, in MB. */
  readonly wal: number
  /** Seconds of CPU of its process. */
  readonly cpu: number
}

/** Time, memory and CPU of this process, and the server's WAL, while an effect runs. */
export const measure = <E, R>(database: Database, work: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    yield* database.query("CHECKPOINT")
    yield* database.query("SELECT pg_switch_wal()")
    const walAt = database.query("SELECT pg_current_wal_lsn() - '0/0' AS at")
    const [before] = yield* walAt
    let rss = 0
    const watch = setInterval(() => {
      rss = Math.max(rss, process.memoryUsage.rss())
    }, 20)
    const cpu = process.cpuUsage()
    const start = performance.now()
    yield* work
    const seconds = (performance.now() - start) / 1000
    clearInterval(watch)
    const spent = process.cpuUsage(cpu)
    const [after] = yield* walAt
    const measured: Measured = {
      seconds,
      cpu: (spent.user + spent.system) / 1e6,
      rss: rss / 1e6,
      wal: (Number(after?.at) - Number(before?.at)) / 1e6
    }
    return measured
  })

/** The middle one; of an even number the lower of the two. */
export const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? Number.NaN
