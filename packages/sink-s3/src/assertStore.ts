import { randomUUID } from "node:crypto"
import { Effect, Stream } from "effect"
import { probes } from "./Layout.ts"
import { type ObjectStore, objectOf } from "./ObjectStore.ts"
import { type StoreError, unfit } from "./StoreError.ts"

/** How a store wants an ETag it has told to be said back to it; none where it has no conditional writes. */
export type Conditions = "quoted" | "bare" | "none"

/** A store as it is before anything is known of it. */
export interface UnprovenStore {
  readonly address: string
  /** The store, if it kept conditions so. */
  readonly withConditions: (conditions: Conditions) => ObjectStore
  /** Begins an upload in pieces and ends it again without an object. */
  readonly tryPieces: (key: string) => Effect.Effect<void, StoreError>
  /** Whether the user knows that there are no conditional writes. */
  readonly isUnconditional: boolean
}

const probeObject = objectOf(new TextEncoder().encode("1"), "text/plain")
const moved = new TextEncoder().encode("2")

/**
 * Tries all that a run will ask of a store, before anything is paid: put, read, list, an upload in pieces and its end, conditional
 * writes, delete. What the store refuses fails in its own words; one that lets a write pass which it should refuse is unfit.
 */
export const assertStore = Effect.fnUntraced(function* (
  store: UnprovenStore
): Effect.fn.Return<Conditions, StoreError> {
  const { address, isUnconditional, tryPieces, withConditions } = store
  const key = `${probes}${randomUUID()}`
  const plain = withConditions("none")
  const probe = Effect.gen(function* () {
    // First by GET: the answer to the HEAD of `create` has no body, and so cannot say why it is refused.
    yield* plain.read(key)
    yield* plain.create(key, probeObject)
    if ((yield* plain.read(key)) === undefined) return yield* unlike(address, "an object that was put cannot be read")
    // That it answers is enough: some stores list a new object a moment later.
    yield* Stream.runDrain(plain.list(key))
    yield* tryPieces(`${key}.pieces`)
    return isUnconditional ? "none" : yield* assertConditions(store, `${key}.conditional`)
  })
  const remove = plain.remove([key, `${key}.conditional`])
  const conditions = yield* Effect.tapError(probe, () => Effect.ignore(remove))
  yield* remove
  return conditions
})

/** Writes what there must not be twice, and moves a pointer that is not as it was. */
const assertConditions = Effect.fnUntraced(function* (
  { address, withConditions }: UnprovenStore,
  key: string
): Effect.fn.Return<Conditions, StoreError> {
  const quoted = withConditions("quoted")
  const none = "If-None-Match"
  // A plain put has just passed: what fails now, fails by its condition.
  if (!(yield* quoted.create(key, probeObject).pipe(orUnconditional(address, none))))
    return yield* unconditional(address, none)
  if (yield* quoted.create(key, probeObject).pipe(orUnconditional(address, none)))
    return yield* unconditional(address, none)
  const move = (conditions: Conditions, tag?: string) =>
    Effect.gen(function* () {
      const now = yield* quoted.readPointer(key)
      const before = tag === undefined || now === undefined ? now : { ...now, tag }
      return yield* withConditions(conditions).movePointer(key, before, moved)
    })
  const match = "If-Match"
  const stale = `"${"0".repeat(32)}"`
  if (yield* move("quoted", stale).pipe(orUnconditional(address, match))) return yield* unconditional(address, match)
  const isQuoted = yield* move("quoted").pipe(Effect.catchIf(isRefusal, () => Effect.succeed(false)))
  if (isQuoted) return "quoted"
  // What it does not understand matches nothing for one store; another has to refuse a stale tag said so as well.
  if (yield* move("bare", stale).pipe(orUnconditional(address, match))) return yield* unconditional(address, match)
  if (yield* move("bare").pipe(orUnconditional(address, match))) return "bare"
  return yield* unconditional(address, match)
})

/** The store understood the request and does not do that: in 501, in 400, or in another status of its own. */
const isRefusal = ({ isRetryable, reason }: StoreError): boolean => reason._tag === "StoreFailed" && !isRetryable

const orUnconditional =
  (address: string, header: string) =>
  <A>(work: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.catchIf(work, isRefusal, () => unconditional(address, header))

const unconditional = (address: string, header: string): Effect.Effect<never, StoreError> =>
  Effect.fail(
    unfit(
      "prove",
      address,
      `the store at ${address} does not keep conditional writes (${header}), so two writers could both believe to have published; use another store, or set conditional_writes: none where one process at a time writes`
    )
  )

const unlike = (address: string, what: string): Effect.Effect<never, StoreError> =>
  Effect.fail(unfit("prove", address, `the store at ${address} is not one that a sink can use: ${what}`))
