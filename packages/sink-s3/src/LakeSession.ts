import type { LedgerError, RunHandle, SinkConnection, SinkError, SinkSession } from "@sluice/core/sink"
import { Effect, Stream } from "effect"
import { admitPublish } from "./admitPublish.ts"
import { auditRun } from "./auditRun.ts"
import type { LakeOptions } from "./LakeOptions.ts"
import type { ObjectStore } from "./ObjectStore.ts"
import { assertOwner, reserve } from "./Pointer.ts"
import { previewReplace } from "./previewReplace.ts"
import { publishRun } from "./publishRun.ts"
import { type StoreError, toSinkError } from "./StoreError.ts"
import { segmentTarget, writeSegment } from "./writeSegment.ts"

/** Segments that are encoded and written at once. */
const segmentsAtOnce = 2
/** A part holds at most this many records, and its first record waits at most this long. */
const recordsOfPart = 50_000
const delayOfPartMs = 60_000

/** A sink of objects over a store that answers. */
export const lakeConnection = (store: ObjectStore, options: LakeOptions): SinkConnection => {
  const ownerOf = (pipeline: string) => ({ pipeline, sink: options.name, mode: options.mode })
  return {
    ledger: undefined,
    showsLatest: options.mode === "replace",
    audit: (reserve) => Stream.mapError(auditRun(store, options.name, reserve), toSinkError(options.name, "audit")),
    admit: (pipeline) =>
      assertOwner(store, ownerOf(pipeline)).pipe(Effect.mapError(toSinkError(options.name, "connect"))),
    begin: (run) =>
      reserve(store, ownerOf(run.pipeline)).pipe(
        Effect.mapError(toSinkError(options.name, "begin")),
        Effect.as(lakeSession(store, options, run))
      )
  }
}

const lakeSession = (store: ObjectStore, options: LakeOptions, run: RunHandle): SinkSession => {
  const target = segmentTarget(store, options, run)
  const publish = publishRun(store, options, run).pipe(Effect.mapError(inSinkWords(options.name, "publish")))
  return {
    concurrency: segmentsAtOnce,
    wants: { records: recordsOfPart, bytes: options.part_bytes, delayMs: delayOfPartMs },
    write: Effect.fnUntraced(
      function* (segment, commit) {
        const { quarantined, rows } = yield* writeSegment(target, segment)
        const result = { rows, deadLetters: quarantined.length }
        yield* commit.run({ ...result, quarantined })
        return result
      },
      Effect.mapError(inSinkWords(options.name, "write"))
    ),
    publish,
    admitPublish: admitPublish(store, options, run).pipe(Effect.mapError(inSinkWords(options.name, "publish"))),
    unpublished: "readers see none of it",
    ...(options.mode === "append"
      ? { publishEnded: publish }
      : { previewPublish: previewReplace(store, run).pipe(Effect.mapError(inSinkWords(options.name, "publish"))) })
  }
}

const inSinkWords =
  (name: string, operation: string) =>
  (error: StoreError | LedgerError): SinkError | LedgerError =>
    error._tag === "LedgerError" ? error : toSinkError(name, operation)(error)
