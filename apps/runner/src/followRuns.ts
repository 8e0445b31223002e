import type { Ledger } from "@sluice/core"
import type { RunFilter } from "@sluice/core/sink"
import { Postgres, PostgresLedger } from "@sluice/sink-postgres"
import { Clock, Effect, type Option, Schedule, Stream } from "effect"
import type { LedgerSettings } from "./ApiSettings.ts"
import { ledgerSettings } from "./database.ts"
import type { PipelineFile } from "./PipelineFile.ts"
import { openReaderOf, readRuns, type ShownRun } from "./runsReader.ts"

/** Pauses between two looks at the ledger. */
const pause = "1 second"
/** Runs whose state is remembered: the oldest is forgotten past it, and is not shown again while it is listed. */
const mostRemembered = 2_000

/** What is new since the look before, the oldest run first. */
export interface RunChanges {
  readonly changed: ReadonlyArray<ShownRun>
  readonly isFirst: boolean
  readonly now: number
}

/**
 * The runs of a ledger, and then each that begins or changes its status. An embedded database is read through the process that
 * holds it, and by itself only once after such a process has ended: opening it keeps others from beginning a run.
 */
export const followRuns = (file: Option.Option<PipelineFile>, filter: RunFilter & { readonly limit: number }) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const config = yield* ledgerSettings(file)
      const read =
        config.url === undefined ? embedded(file, config, filter) : readRuns(yield* openReaderOf(file), filter)
      const seen = new Map<string, string>()
      let isFirst = true
      return Stream.fromEffectSchedule(read, Schedule.spaced(pause)).pipe(
        Stream.mapEffect((runs) => Effect.map(Clock.currentTimeMillis, (now) => ({ runs, now }))),
        Stream.map(({ now, runs }): RunChanges => {
          const changed = runs.filter((run) => isNews(seen, run)).toReversed()
          const changes = { changed, isFirst, now }
          isFirst = false
          return changes
        }),
        Stream.filter(({ changed, isFirst }) => isFirst || changed.length > 0)
      )
    })
  )

const isNews = (seen: Map<string, string>, { holder, run }: ShownRun): boolean => {
  const state = `${run.status} ${run.epoch} ${run.finishedAt} ${run.publishedAt} ${run.receipt === null && holder !== undefined}`
  if (seen.get(run.runId) === state) return false
  seen.delete(run.runId)
  seen.set(run.runId, state)
  const [oldest] = seen.keys()
  if (seen.size > mostRemembered && oldest !== undefined) seen.delete(oldest)
  return true
}

/** Looks at an embedded database: through its holder, or once more after there was one. */
const embedded = (
  file: Option.Option<PipelineFile>,
  config: LedgerSettings,
  filter: RunFilter & { readonly limit: number }
) => {
  let isDue = true
  let last: ReadonlyArray<ShownRun> = []
  const readAll = (ledger: Ledger) =>
    Effect.tap(readRuns(ledger, filter), (runs) =>
      Effect.sync(() => {
        last = runs
      })
    )
  return Effect.scoped(
    Effect.gen(function* () {
      const held = yield* Postgres.openHeld({ directory: config.directory ?? "", schema: config.schema })
      if (held !== undefined) {
        isDue = true
        // The process may end while it is asked.
        return yield* Effect.orElseSucceed(readAll(PostgresLedger.make(held)), () => last)
      }
      if (!isDue) return last
      isDue = false
      const ledger = yield* openReaderOf(file)
      return yield* readAll(ledger)
    })
  )
}
