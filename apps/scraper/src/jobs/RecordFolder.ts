import { Clock, Effect, Option, Schema, Semaphore } from "effect"
import type { StoreError } from "../state/Files.ts"
import type { State } from "../state/State.ts"

/** What a folder needs to know of a record. */
export interface FolderRecord {
  readonly id: string
  readonly seq: number
}

/** What is kept of the records that will not change any more: of the newest so many, so young, and so large together. */
export interface Retention {
  readonly count: number
  readonly ageMs: number
  readonly bytes: number
}

/** Everything. */
export const retainAll: Retention = {
  count: Number.POSITIVE_INFINITY,
  ageMs: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY
}

/** How a folder keeps its records. */
export interface FolderOptions<A> {
  /** The name of a record's manifest. */
  readonly manifest: string
  readonly retain: Retention
  /** When a record ended, in milliseconds since the epoch; undefined while it can still change. */
  readonly endedAt: (record: A) => number | undefined
}

/** The records of one kind: a folder each, with a manifest, and all manifests in memory. */
export interface RecordFolder<A extends FolderRecord> {
  readonly records: ReadonlyMap<string, A>
  /** Where the texts of a record are. */
  readonly place: (id: string) => string
  /** The number of the next record, in the order of their making. */
  readonly nextSeq: () => number
  /** Makes the place of a new record. It is one once its manifest is written: without it is deleted at start. */
  readonly prepare: (id: string) => Effect.Effect<string, StoreError>
  /** Writes the first manifest of a record, and deletes the oldest ended ones beyond the limit. */
  readonly add: (record: A) => Effect.Effect<void, StoreError>
  /** Replaces a manifest, in memory at once and then in the state; nothing happens if the record was deleted. */
  readonly put: (record: A) => Effect.Effect<void, StoreError>
  /** Replaces a manifest in memory alone: for what a restart would undo anyway. */
  readonly hold: (record: A) => void
  readonly remove: (id: string) => Effect.Effect<void, StoreError>
  /** Deletes what is not to be kept any longer. */
  readonly sweep: Effect.Effect<void, StoreError>
}

/** Opens a folder of records. */
export const openRecordFolder = Effect.fnUntraced(function* <A extends FolderRecord, E>(
  state: State,
  root: string,
  schema: Schema.Codec<A, E>,
  options: FolderOptions<A>
): Effect.fn.Return<RecordFolder<A>, StoreError> {
  const Manifest = Schema.fromJsonString(schema)
  const decode = Schema.decodeUnknownOption(Manifest)
  const encode = Schema.encodeEffect(Manifest)
  const records = new Map<string, A>()
  const place = (id: string) => `${root}/${id}`
  const manifest = (id: string) => `${place(id)}/${options.manifest}`

  for (const [id, text] of yield* state.records(root, options.manifest)) {
    const record = Option.flatMap(text, decode)
    // Without a manifest nobody was told of the record: it was cut off while it was made.
    if (Option.isNone(record)) yield* state.remove(place(id))
    else records.set(id, record.value)
  }
  let seq = Math.max(0, ...Array.from(records.values(), (record) => record.seq))

  const writing = yield* Semaphore.make(1)
  // Writes what is in memory when its turn has come, so an older manifest never replaces a newer one.
  const write = Effect.fnUntraced(function* (id: string) {
    const record = records.get(id)
    if (record !== undefined) yield* state.write(manifest(id), yield* Effect.orDie(encode(record)))
  }, writing.withPermits(1))

  const remove = (id: string) => {
    records.delete(id)
    sizes.delete(id)
    // The manifest first: what a crash leaves is no record any more.
    return writing.withPermits(1)(Effect.andThen(state.remove(manifest(id)), state.remove(place(id))))
  }
  const sizes = new Map<string, number>()
  /** Counted once: an ended record does not grow. */
  const sizeOf = Effect.fnUntraced(function* (id: string) {
    const size = sizes.get(id) ?? (yield* state.bytesIn(place(id)))
    sizes.set(id, size)
    return size
  })
  const sweep = Effect.gen(function* () {
    const { ageMs, bytes, count } = options.retain
    const now = yield* Clock.currentTimeMillis
    const ended = [...records.values()].flatMap((record) => {
      const at = options.endedAt(record)
      return at === undefined ? [] : [{ id: record.id, seq: record.seq, at }]
    })
    let total = 0
    for (const [index, { at, id }] of ended.sort((a, b) => b.seq - a.seq).entries()) {
      if (Number.isFinite(bytes)) total += yield* sizeOf(id)
      if (index >= count || now - at >= ageMs || total > bytes) yield* remove(id)
    }
  })
  yield* sweep

  return {
    records,
    place,
    nextSeq: () => ++seq,
    prepare: (id) => Effect.as(state.prepare(place(id)), place(id)),
    add: Effect.fnUntraced(function* (record) {
      records.set(record.id, record)
      yield* write(record.id)
      yield* sweep
    }),
    put: Effect.fnUntraced(function* (record) {
      if (!records.has(record.id)) return
      records.set(record.id, record)
      yield* write(record.id)
    }),
    hold: (record) => void records.set(record.id, record),
    remove,
    sweep
  }
})
