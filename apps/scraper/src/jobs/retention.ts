import { Effect, Schedule } from "effect"
import { ServerSettings, type Settings } from "../ScraperConfig.ts"
import type { StoreError } from "../state/Files.ts"
import type { RecordFolder, Retention } from "./RecordFolder.ts"

const dayMs = 24 * 3_600_000

/** What is kept of finished jobs, of each kind. */
export const jobRetention = ({ retainBytes, retainDays, retainJobs }: Settings): Retention => ({
  count: retainJobs,
  ageMs: retainDays * dayMs,
  bytes: retainBytes
})

/** What is kept of ended deliveries, of each subscription. */
export const deliveryRetention = ({ retainDays, retainDeliveries }: Settings): Retention => ({
  count: retainDeliveries,
  ageMs: retainDays * dayMs,
  bytes: Number.POSITIVE_INFINITY
})

/** Sweeps folders again and again: records grow old without one being added. */
export const keepSwept = Effect.fnUntraced(function* (folders: () => Iterable<Pick<RecordFolder<never>, "sweep">>) {
  const { sweepEveryMs } = yield* ServerSettings
  const sweep = Effect.suspend(() =>
    Effect.forEach([...folders()], (folder): Effect.Effect<void, StoreError> => folder.sweep, { discard: true })
  ).pipe(Effect.catch((error) => Effect.logWarning("Old records could not be deleted", error)))
  yield* sweep.pipe(Effect.delay(sweepEveryMs), Effect.repeat(Schedule.forever), Effect.forkScoped)
})
