import { hash } from "node:crypto"
import { Effect, Schema } from "effect"
import type { NewObject, ObjectStore } from "./ObjectStore.ts"
import { conflict, type StoreError } from "./StoreError.ts"

/** A value as an object: the same value, the same bytes. */
export const documentOf = <S extends Schema.ConstraintEncoder<unknown>>(schema: S, value: S["Type"]): NewObject => ({
  bytes: new TextEncoder().encode(`${JSON.stringify(Schema.encodeSync(schema)(value))}\n`),
  contentType: "application/json"
})

/** Reads a value back. An object that is not of its schema was written by something else, or by a later Sluice. */
export const parseDocument = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  key: string,
  bytes: Uint8Array
): Effect.Effect<S["Type"], StoreError> =>
  Schema.decodeEffect(Schema.fromJsonString(schema))(new TextDecoder().decode(bytes)).pipe(
    Effect.mapError(() => conflict("read", key, "this object is none that this version of Sluice has written"))
  )

/** SHA-256 in hex. */
const digestOf = (bytes: Uint8Array): string => hash("sha256", bytes, "hex")

/** Writes an object that may stand already, of an attempt whose answer was lost: it then has to be the same. */
export const writeOnce = Effect.fnUntraced(function* (
  store: ObjectStore,
  key: string,
  object: NewObject
): Effect.fn.Return<string, StoreError> {
  const sha256 = digestOf(object.bytes)
  if (yield* store.create(key, object)) return sha256
  if ((yield* store.digest(key)) === sha256) return sha256
  return yield* conflict(
    "create",
    key,
    "another object stands under this key: two sinks of one pipeline need a prefix each"
  )
})
