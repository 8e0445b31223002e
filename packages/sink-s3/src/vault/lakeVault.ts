import {
  keysOf,
  type RunVault,
  type SinkError,
  type SourceEnd,
  type StoredRun,
  type StoredSegment,
  type VaultConnection,
  VaultEntries
} from "@sluice/core/sink"
import { Clock, Effect, Stream } from "effect"
import { documentOf, writeOnce } from "../Documents.ts"
import type { ObjectStore } from "../ObjectStore.ts"
import { conflict, type StoreError, toSinkError } from "../StoreError.ts"
import { entryOf, type RunFolder, type RunName, readEntry, readRunFolder } from "./RunFolder.ts"
import { rawResultsOf, recordsOf } from "./rawResults.ts"
import {
  folder as folderOf,
  rawResultsKey,
  runEntries,
  runEntryKey,
  runFolder,
  runOf,
  segmentKey
} from "./VaultLayout.ts"

/** Runs whose notes are read at once. */
const runsAtOnce = 4
/** Objects that are removed at once. */
const removedAtOnce = 500
/** What is still half written after so long belongs to a process that has died. */
const abandonedMs = 24 * 3_600_000

/** How long what is kept stays: for good, or until every sink has it. */
export type Keeping = "for good" | "until landed"

/** What is kept of runs, as objects of a store. */
export const lakeVault = (store: ObjectStore, name: string, keeping: Keeping): VaultConnection => {
  const named = <A>(operation: string, effect: Effect.Effect<A, StoreError>): Effect.Effect<A, SinkError> =>
    Effect.mapError(effect, toSinkError(name, operation))

  const runVault = (run: HeldName, folder: RunFolder, end: SourceEnd | undefined): RunVault => {
    const hashes = new Map(folder.segments.map(({ seq, sha256 }) => [seq, sha256]))
    const entryOfSegment = ({ epoch, seq }: StoredSegment) => segmentKey(run.pipeline, run.runId, epoch, seq)
    /** None where there are no pages: the object of nothing would be that of several segments, and the first to be released took it. */
    const answersOfSegment = ({ keys, seq }: StoredSegment) =>
      keys.length === 0 ? undefined : rawResultsKey(run.pipeline, run.runId, hashes.get(seq) ?? "")
    return {
      segments: folder.segments.map(VaultEntries.segmentOfEntry),
      end,
      keep: (segment) =>
        named(
          "keep",
          Effect.gen(function* () {
            const { bytes, drift = [], jobs, records, seq } = segment
            const kept: StoredSegment = { seq, epoch: run.epoch, bytes, jobs, drift, keys: keysOf(records) }
            const answers = yield* rawResultsOf(segment)
            hashes.set(seq, answers.sha256)
            const note = VaultEntries.entryOfSegment(kept, { pages: records.length, sha256: answers.sha256 })
            const key = answersOfSegment(kept)
            if (key !== undefined) yield* writeOnce(store, key, answers)
            // Last: what is noted is there.
            yield* writeOnce(store, entryOfSegment(kept), documentOf(VaultEntries.SegmentEntry, note))
            return kept
          })
        ),
      read: (kept) =>
        named(
          "read",
          Effect.suspend(() => {
            const key = answersOfSegment(kept)
            if (key === undefined) return Effect.succeed([])
            return Effect.flatMap(store.read(key), (bytes) => recordsOf(key, hashes.get(kept.seq) ?? "", bytes))
          })
        ),
      keepEnd: (end) =>
        named(
          "keep",
          writeOnce(
            store,
            entryOf(run, "end", run.epoch),
            documentOf(VaultEntries.EndEntry, { note_version: 1, ...end })
          )
        ),
      ...(keeping === "for good"
        ? forGood(run)
        : untilLanded(run, (kept) => [entryOfSegment(kept), answersOfSegment(kept)]))
    }
  }

  const forGood = (run: HeldName): Pick<RunVault, "keepReceipt"> => ({
    keepReceipt: (end) =>
      named(
        "keep",
        writeOnce(
          store,
          entryOf(run, "receipt", run.epoch),
          documentOf(VaultEntries.ReceiptEntry, VaultEntries.entryOfEnd(end))
        )
      )
  })

  const untilLanded = (
    run: HeldName,
    objectsOf: (kept: StoredSegment) => ReadonlyArray<string | undefined>
  ): Pick<RunVault, "release" | "close"> => ({
    release: (kept) =>
      named(
        "release",
        Effect.suspend(() => store.remove(objectsOf(kept).filter((key) => key !== undefined)))
      ),
    close: named("close", removeRun(store, run))
  })

  const endOf = Effect.fnUntraced(function* (run: RunName, { end }: RunFolder) {
    if (end === null) return undefined
    const { note_version: _, ...kept } = yield* readEntry(store, VaultEntries.EndEntry, entryOf(run, "end", end))
    return kept
  })

  return {
    begin: (run) =>
      named(
        "begin",
        Effect.gen(function* () {
          const note = documentOf(VaultEntries.RunEntry, {
            note_version: 1,
            run_id: run.runId,
            pipeline: run.pipeline,
            config_hash: run.configHash,
            started_at: run.startedAt
          })
          yield* store.create(runEntryKey(run), note)
          const folder = yield* readRunFolder(store, run, run.epoch)
          const epoch = documentOf(VaultEntries.EpochEntry, {
            note_version: 1,
            epoch: run.epoch,
            segments: folder.segments.map(({ epoch, seq }) => ({ epoch, seq })),
            end: folder.end
          })
          yield* writeOnce(store, entryOf(run, "epoch", run.epoch), epoch)
          return runVault(run, folder, yield* endOf(run, folder))
        })
      ),
    runs: (pipeline) =>
      store.list(runEntries(pipeline)).pipe(
        Stream.mapEffect(({ key }) => readRun(store, key), { concurrency: runsAtOnce }),
        Stream.mapError(toSinkError(name, "list"))
      ),
    open: (run) =>
      named(
        "open",
        Effect.gen(function* () {
          const folder = yield* readRunFolder(store, run, Number.POSITIVE_INFINITY)
          const missing = folder.segments.findIndex(({ seq }, at) => seq !== at + 1)
          if (missing >= 0) {
            return yield* conflict(
              "open",
              runFolder(run.pipeline, run.runId),
              `the vault lacks segment ${missing + 1} of run ${run.runId}: the run was begun without it, or objects have been removed`
            )
          }
          return runVault(run, folder, yield* endOf(run, folder))
        })
      ),
    ...(keeping === "for good"
      ? {}
      : {
          sweep: (pipeline, isOpen) =>
            sweep(store, pipeline, isOpen).pipe(
              Effect.catchTag("StoreError", (error) => Effect.fail(toSinkError(name, "sweep")(error)))
            )
        })
  }
}

/** A run, and the epoch under which it is written to. */
interface HeldName extends RunName {
  readonly epoch: number
  readonly startedAt: number
}

/** A run by its note, with the receipt it ended with. */
const readRun = Effect.fnUntraced(function* (store: ObjectStore, key: string): Effect.fn.Return<StoredRun, StoreError> {
  const note = yield* readEntry(store, VaultEntries.RunEntry, key)
  const run = { runId: note.run_id, pipeline: note.pipeline, configHash: note.config_hash, startedAt: note.started_at }
  const { epoch, receipt } = yield* readRunFolder(store, run, Number.POSITIVE_INFINITY)
  const end =
    receipt === null
      ? undefined
      : VaultEntries.endOfEntry(yield* readEntry(store, VaultEntries.ReceiptEntry, entryOf(run, "receipt", receipt)))
  return { ...run, epoch, end }
})

/**
 * Removes what is kept of the runs of a pipeline that have ended. By the names of objects alone: the process that ended a run may be
 * removing them at this moment, and a process that had lost it may have added some after that.
 */
const sweep = Effect.fnUntraced(function* <E>(
  store: ObjectStore,
  pipeline: string,
  isOpen: (runId: string) => Effect.Effect<boolean, E>
): Effect.fn.Return<void, StoreError | E> {
  const known = new Map<string, boolean>()
  const isLeft = Effect.fnUntraced(function* (runId: string): Effect.fn.Return<boolean, E> {
    const isNeeded = known.get(runId) ?? (yield* isOpen(runId))
    known.set(runId, isNeeded)
    return !isNeeded
  })
  yield* store.list(folderOf(pipeline)).pipe(
    Stream.filterEffect(({ key }) => {
      const runId = runOf(key)
      return runId === undefined ? Effect.succeed(false) : isLeft(runId)
    }),
    Stream.grouped(removedAtOnce),
    Stream.runForEach((objects) => store.remove(objects.map(({ key }) => key)))
  )
  yield* store.abortUploads(folderOf(pipeline), (yield* Clock.currentTimeMillis) - abandonedMs)
})

/** Removes all that is kept of a run. What is left if this is cut short goes when the next run begins. */
const removeRun = Effect.fnUntraced(function* (
  store: ObjectStore,
  run: RunName & { readonly startedAt: number }
): Effect.fn.Return<void, StoreError> {
  yield* store.list(runFolder(run.pipeline, run.runId)).pipe(
    Stream.grouped(removedAtOnce),
    Stream.runForEach((objects) => store.remove(objects.map(({ key }) => key)))
  )
  yield* store.remove([runEntryKey(run)])
})
