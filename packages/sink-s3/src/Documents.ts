import { Effect, Schema } from "effect"
import { type NewObject, type ObjectStore, objectOf } from "./ObjectStore.ts"
import { conflict, type StoreError } from "./StoreError.ts"

/** A value as an object: the same value, the same bytes. */
export const documentOf = <S extends Schema.ConstraintEncoder<unknown>>(schema: S, value: S["Type"]): NewObject =>
  objectOf(new TextEncoder().encode(`${JSON.stringify(Schema.encodeSync(schema)(value))}\n`), "application/json")

/** Reads a value back. An object that is not of its schema was written by something else, or by a later Sluice. */
export const parseDocument = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  key: string,
  bytes: Uint8Array
): Effect.Effect<S["Type"], StoreError> =>
  Schema.decodeEffect(Schema.fromJsonString(schema))(new TextDecoder().decode(bytes)).pipe(
    Effect.mapError(() => conflict("read", key, "this object is none that this version of Sluice has written"))
  )

/** Writes an object that may stand already, of an attempt whose answer was lost: it then has to be the same. */
export const writeOnce = Effect.fnUntraced(function* (
  store: ObjectStore,
  key: string,
  object: NewObject
): Effect.fn.Return<void, StoreError> {
  if (yield* store.create(key, object)) return
  if ((yield* store.digest(key)) === object.sha256) return
  return yield* conflict(
    "create",
    key,
    "another object exists under this key: two sinks of one pipeline need different prefixes"
  )
})
