import type { RunHandle, Segment } from "@sluice/core/sink"
import { Effect, Semaphore } from "effect"
import type { Database } from "../database/Database.ts"
import type { DatabaseError } from "../database/DatabaseError.ts"
import { registerJobs } from "../ledger/JobRows.ts"
import type { PostgresSinkConfig } from "../PostgresSinkConfig.ts"
import { type ModeChanged, registerSet, setOf } from "../pages/PageSets.ts"

/** A set as a session knows it. */
export interface KnownSet {
  readonly setNo: number
  /** Whether pages from before this session may stand in it. */
  readonly mayHold: boolean
}

/** The narrow keys of what a segment names. */
export interface SegmentKeys {
  readonly jobs: ReadonlyMap<string, number>
  readonly setOf: (jobId: string) => KnownSet
}

/**
 * Numbers jobs and sets for a session, each registered once and durable before a row names it. A number is never taken back,
 * so what is cached stays true whatever becomes of the segment.
 */
export const makeSessionKeys = (
  database: Database,
  config: Pick<PostgresSinkConfig, "mode" | "name">,
  run: Pick<RunHandle, "runId" | "pipeline">
) => {
  const jobs = new Map<string, number>()
  const sets = new Map<number | null, KnownSet>()
  const turn = Semaphore.makeUnsafe(1)
  const setKey = (jobId: string) => (config.mode === "append" ? (jobs.get(jobId) ?? null) : null)

  const learn = Effect.fnUntraced(function* (jobIds: ReadonlySet<string>, recordJobs: ReadonlySet<string>) {
    const unknown = [...jobIds].filter((id) => !jobs.has(id))
    if (unknown.length > 0) {
      const found = yield* database.transaction((tx) => registerJobs(tx, run.runId, unknown))
      for (const [id, jobNo] of found) jobs.set(id, jobNo)
    }
    for (const id of recordJobs) {
      const jobNo = setKey(id)
      if (sets.has(jobNo)) continue
      const { setNo, isNew } = yield* database.transaction((tx) => registerSet(tx, setOf(config, run, jobNo)))
      const isShared = config.mode === "merge" || config.mode === "history"
      sets.set(jobNo, { setNo, mayHold: isShared && !isNew })
    }
  })

  const keys: SegmentKeys = { jobs, setOf: (jobId) => sets.get(setKey(jobId))! }
  const of = (jobIds: ReadonlySet<string>, recordJobs: ReadonlySet<string>) => {
    const isKnown = [...jobIds].every((id) => jobs.has(id)) && [...recordJobs].every((id) => sets.has(setKey(id)))
    return isKnown ? Effect.succeed(keys) : Effect.as(turn.withPermit(learn(jobIds, recordJobs)), keys)
  }

  return {
    /** The keys for records of these jobs. */
    ofJobs: (jobIds: ReadonlySet<string>): Effect.Effect<SegmentKeys, DatabaseError | ModeChanged> =>
      of(jobIds, jobIds),
    /** The keys for a segment; asks the database only for what the session has not met. */
    of: (segment: Segment): Effect.Effect<SegmentKeys, DatabaseError | ModeChanged> => {
      const recordJobs = new Set(segment.records.map(({ jobId }) => jobId))
      const jobIds = new Set([...recordJobs, ...segment.jobs.map(({ jobId }) => jobId)])
      return of(jobIds, recordJobs)
    }
  }
}
