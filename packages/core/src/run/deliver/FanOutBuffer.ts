import { Deferred, Effect, type Option } from "effect"
import type { SinkError } from "../../sink/SinkError.ts"
import type { StoredSegment } from "../../vault/Vault.ts"
import type { SegmentForSink } from "./SegmentForSink.ts"

/** Bytes of segments that stay in memory for sinks that keep up. A sink that lags reads them from the store. */
const cachedBytes = 16 * 1024 * 1024

/** A stored segment, and the sinks that have not committed it. */
interface Waiting {
  readonly kept: StoredSegment
  readonly sinks: Set<string>
}

/**
 * The stored segments of a run that some sink has not committed yet, with a cursor for each sink. Their pages are held only while
 * they are cached.
 */
export class FanOutBuffer {
  readonly #maxBytes: number
  readonly #maxSegments: number
  readonly #sinks: number
  readonly #allFailed = Deferred.makeUnsafe<never, SinkError>()
  readonly #waiting = new Map<number, Waiting>()
  /** Sequence numbers in the order in which they are taken. */
  readonly #queue: Array<number> = []
  readonly #cursors = new Map<string, number>()
  readonly #cached = new Map<StoredSegment, SegmentForSink>()
  readonly #failed = new Map<string, SinkError>()
  #bytes = 0
  #cachedBytes = 0
  #hasEnded = false
  #isFull = false
  #changed = Deferred.makeUnsafe<void>()

  /** At most `maxBytes` of pages in at most `maxSegments` wait for this number of sinks. */
  constructor(bounds: { readonly maxBytes: number; readonly maxSegments: number; readonly sinks: number }) {
    this.#maxBytes = bounds.maxBytes
    this.#maxSegments = bounds.maxSegments
    this.#sinks = bounds.sinks
  }

  /** Takes a segment in for these sinks, with its pages where they are at hand. */
  add(kept: StoredSegment, sinks: Iterable<string>, prepared?: SegmentForSink): void {
    this.#waiting.set(kept.seq, { kept, sinks: new Set(sinks) })
    this.#queue.push(kept.seq)
    this.#bytes += kept.bytes
    if (prepared !== undefined) {
      this.#cached.set(kept, prepared)
      this.#cachedBytes += kept.bytes
      for (const oldest of this.#cached.keys()) {
        if (this.#cachedBytes <= cachedBytes || oldest === kept) break
        this.#evict(oldest)
      }
    }
    this.#wake()
  }

  /** There will be no more segments. */
  end(): void {
    this.#hasEnded = true
    this.#wake()
  }

  /** The next segment a sink has to take, once there is one; none when there will be none. */
  next(sink: string): Effect.Effect<Option.Option<StoredSegment>> {
    return Effect.suspend(() => {
      for (let at = this.#cursors.get(sink) ?? 0; at < this.#queue.length; at++) {
        const waiting = this.#waiting.get(this.#queue[at]!)
        if (waiting?.sinks.has(sink) !== true) continue
        this.#cursors.set(sink, at + 1)
        return Effect.succeedSome(waiting.kept)
      }
      this.#cursors.set(sink, this.#queue.length)
      return this.#hasEnded ? Effect.succeedNone : Effect.andThen(Deferred.await(this.#changed), this.next(sink))
    })
  }

  /** The pages of a segment, while they are in memory. */
  cached(kept: StoredSegment): SegmentForSink | undefined {
    return this.#cached.get(kept)
  }

  /** A sink has taken a segment. Answers whether it was the last to do so. */
  taken(kept: StoredSegment, sink: string): boolean {
    const sinks = this.#waiting.get(kept.seq)?.sinks
    if (sinks?.delete(sink) !== true || sinks.size > 0) return false
    this.#waiting.delete(kept.seq)
    this.#bytes -= kept.bytes
    this.#evict(kept)
    this.#wake()
    return true
  }

  /** A sink takes no more in this attempt. */
  markFailed(sink: string, error: SinkError): void {
    this.#failed.set(sink, error)
    if (this.#failed.size === this.#sinks) Deferred.doneUnsafe(this.#allFailed, Effect.fail(error))
    this.#wake()
  }

  /** Fails once every sink has failed. */
  get allFailed(): Effect.Effect<never, SinkError> {
    return Deferred.await(this.#allFailed)
  }

  /** Why sinks take no more, by their names. */
  get failed(): ReadonlyMap<string, SinkError> {
    return this.#failed
  }

  /** Whether it is worth while to wait for a sink that does not answer: the source goes on meanwhile. */
  get isGrowing(): boolean {
    return !this.#hasEnded && !this.#isFull
  }

  /** Waits for room for another segment. Fails with what is wrong with a sink that room could only come of. */
  readonly room: Effect.Effect<void, SinkError> = Effect.suspend(() => {
    this.#isFull = (this.#bytes > 0 && this.#bytes >= this.#maxBytes) || this.#waiting.size >= this.#maxSegments
    if (!this.#isFull) return Effect.void
    for (const { sinks } of this.#waiting.values()) {
      for (const sink of sinks) {
        const error = this.#failed.get(sink)
        if (error !== undefined) return Effect.fail(error)
      }
    }
    return Effect.andThen(Deferred.await(this.#changed), this.room)
  })

  #evict(kept: StoredSegment): void {
    if (this.#cached.delete(kept)) this.#cachedBytes -= kept.bytes
  }

  #wake(): void {
    const changed = this.#changed
    this.#changed = Deferred.makeUnsafe<void>()
    Deferred.doneUnsafe(changed, Effect.void)
  }
}
