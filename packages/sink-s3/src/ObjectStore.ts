import { hash } from "node:crypto"
import type { Effect, Stream } from "effect"
import type { StoreError } from "./StoreError.ts"

/** An object about to be written. */
export interface NewObject {
  readonly bytes: Uint8Array
  readonly contentType: string
  /** SHA-256 of the bytes, in hex. */
  readonly sha256: string
}

/** Bytes as an object. They are hashed once: the hash identifies the object under a key, and the store verifies it on upload. */
export const objectOf = (bytes: Uint8Array, contentType: string): NewObject => ({
  bytes,
  contentType,
  sha256: hash("sha256", bytes, "hex")
})

/** An object as a list shows it. */
export interface StoredObject {
  readonly key: string
  /** Epoch milliseconds. */
  readonly modifiedAt: number
}

/** What a pointer held when it was read. `tag` tells this state of it from any other. */
export interface Pointed {
  readonly bytes: Uint8Array
  readonly tag: string
}

/** A place of objects by key, and what Sluice asks of it. Keys are below the prefix or directory of the sink. */
export interface ObjectStore {
  /** Where it is, for people; holds no secret. */
  readonly address: string
  /** Writes an object where there is none under its key, whole or not at all. Answers whether there was none. */
  readonly create: (key: string, object: NewObject) => Effect.Effect<boolean, StoreError>
  readonly read: (key: string) => Effect.Effect<Uint8Array | undefined, StoreError>
  /** The SHA-256 of an object that `create` wrote, in hex. */
  readonly digest: (key: string) => Effect.Effect<string | undefined, StoreError>
  readonly readPointer: (key: string) => Effect.Effect<Pointed | undefined, StoreError>
  /**
   * Moves a pointer if it still is as it was read (or still is not there): of several at once, one does. Where it answers
   * false the pointer has to be read again; it may even have been this very move whose answer was lost.
   */
  readonly movePointer: (
    key: string,
    before: Pointed | undefined,
    bytes: Uint8Array
  ) => Effect.Effect<boolean, StoreError>
  /** Every object whose key begins so, by key. */
  readonly list: (prefix: string) => Stream.Stream<StoredObject, StoreError>
  /** Removes objects; one that is not there is no failure. */
  readonly remove: (keys: ReadonlyArray<string>) => Effect.Effect<void, StoreError>
  /** Ends uploads that were begun before an instant (epoch milliseconds) and never finished. Answers how many. */
  readonly abortUploads: (prefix: string, before: number) => Effect.Effect<number, StoreError>
}
