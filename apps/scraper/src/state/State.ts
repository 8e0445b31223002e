import type { Effect, Option } from "effect"
import type { StoreError } from "./Files.ts"

/**
 * All that outlives the server: texts under paths, whose segments are joined with `/`. A text is replaced as a whole or
 * grows at its end. What has been written or appended is there after the process was killed, even when a synced or replaced
 * one has to be there after a power failure as well. One path is written by one fiber at a time.
 */
export interface State {
  /** What is in a folder, by name, each with the text of one of its files: none if it has no such file. */
  readonly records: (
    folder: string,
    file: string
  ) => Effect.Effect<ReadonlyArray<readonly [name: string, text: Option.Option<string>]>, StoreError>
  /** To be called once before anything in a folder is appended to. */
  readonly prepare: (folder: string) => Effect.Effect<void, StoreError>
  readonly read: (path: string) => Effect.Effect<Option.Option<string>, StoreError>
  /** Replaces a text as a whole: after a crash it is the old or the new one. Synced. */
  readonly write: (path: string, text: string) => Effect.Effect<void, StoreError>
  /** Appends whole lines. */
  readonly append: (path: string, lines: string) => Effect.Effect<void, StoreError>
  /** The complete lines; what a crash left of a last one is removed. */
  readonly readLines: (path: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** The size of a text in bytes; 0 if it is not there. */
  readonly sizeOf: (path: string) => Effect.Effect<number, StoreError>
  /** The bytes of all texts in a folder. */
  readonly bytesIn: (folder: string) => Effect.Effect<number, StoreError>
  /** What one `append` has written, by where it began and its size in bytes. */
  readonly readAppended: (path: string, offset: number, size: number) => Effect.Effect<string, StoreError>
  readonly sync: (path: string) => Effect.Effect<void, StoreError>
  /** Deletes a text, or a folder with all it holds; nothing happens if it is not there. */
  readonly remove: (path: string) => Effect.Effect<void, StoreError>
  /** Fails if nothing can be written at present. */
  readonly probe: Effect.Effect<void, StoreError>
}
