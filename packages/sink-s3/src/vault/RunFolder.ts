import { VaultEntries } from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import { parseDocument } from "../Documents.ts"
import type { ObjectStore } from "../ObjectStore.ts"
import { conflict, type StoreError } from "../StoreError.ts"
import { type EntryKind, entryKey, readName, runFolder, segmentKey } from "./VaultLayout.ts"

/** Notes that are read at once. */
const notesAtOnce = 8

/** Which run a folder is of. */
export interface RunName {
  readonly pipeline: string
  readonly runId: string
}

/** The contents of a run's folder. */
export interface RunFolder {
  /** The latest epoch that is noted; 0 where none is. */
  readonly epoch: number
  /** The segments that count, by sequence number. */
  readonly segments: ReadonlyArray<VaultEntries.SegmentEntry>
  /** The epoch under which the source was read to its end. */
  readonly end: number | null
  /** The epoch under which it ended: a receipt of one before is that of a process that had lost the run, or could not end it. */
  readonly receipt: number | null
}

/**
 * Reads the folder of a run as it was before an epoch. What counts is what the last process to hold the run found there, and
 * what it has added: another that had lost the run may have gone on writing for a moment.
 */
export const readRunFolder = Effect.fnUntraced(function* (
  store: ObjectStore,
  { pipeline, runId }: RunName,
  before: number
): Effect.fn.Return<RunFolder, StoreError> {
  const epochs: Array<number> = []
  const receipts = new Set<number>()
  const ends = new Set<number>()
  const written = new Map<number, Array<number>>()
  yield* Stream.runForEach(store.list(runFolder(pipeline, runId)), ({ key }) =>
    Effect.sync(() => {
      const name = readName(key)
      if (name === undefined || name.epoch >= before) return
      const { epoch, kind, seq } = name
      if (kind === "epoch") epochs.push(epoch)
      else if (kind === "receipt") receipts.add(epoch)
      else if (kind === "end") ends.add(epoch)
      else written.set(epoch, [...(written.get(epoch) ?? []), seq])
    })
  )
  const epoch = Math.max(0, ...epochs)
  const found =
    epoch === 0
      ? undefined
      : yield* readEntry(store, VaultEntries.EpochEntry, entryKey(pipeline, runId, "epoch", epoch))
  const standing = [
    ...(found?.segments ?? []),
    ...(epoch === 0 ? [] : (written.get(epoch) ?? []).map((seq) => ({ epoch, seq })))
  ].sort((a, b) => a.seq - b.seq)
  const segments = yield* Effect.forEach(
    // What has been released is not there any more.
    standing.filter(({ epoch, seq }) => written.get(epoch)?.includes(seq) === true),
    ({ epoch, seq }) => readEntry(store, VaultEntries.SegmentEntry, segmentKey(pipeline, runId, epoch, seq)),
    { concurrency: notesAtOnce }
  )
  return {
    epoch,
    segments,
    // A run that was opened again ends again.
    end: ends.has(epoch) ? epoch : (found?.end ?? null),
    receipt: receipts.has(epoch) ? epoch : null
  }
})

/** Reads a note that was listed. */
export const readEntry = Effect.fnUntraced(function* <S extends Parameters<typeof parseDocument>[0]>(
  store: ObjectStore,
  schema: S,
  key: string
): Effect.fn.Return<S["Type"], StoreError> {
  const bytes = yield* store.read(key)
  if (bytes === undefined) return yield* conflict("read", key, "a note that was kept is not there: it has been removed")
  return yield* parseDocument(schema, key, bytes)
})

/** The key of a note of a run. */
export const entryOf = ({ pipeline, runId }: RunName, kind: EntryKind, epoch: number): string =>
  entryKey(pipeline, runId, kind, epoch)
