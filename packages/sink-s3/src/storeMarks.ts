import { MarkFailed, type MarkPlace, PipelineMarks, type RunMark, withMark } from "@sluice/core/sink"
import { Effect } from "effect"
import { documentOf, parseDocument } from "./Documents.ts"
import type { ObjectStore } from "./ObjectStore.ts"
import type { StoreError } from "./StoreError.ts"

/** So many others may write a mark at the same time before one gives up. */
const mostMoves = 5

/** High-water marks in a store: one pointer a pipeline, under the key that `keyOf` names. */
export const storeMarks = (store: ObjectStore, keyOf: (pipeline: string) => string): MarkPlace => {
  const read = Effect.fnUntraced(function* (key: string) {
    const pointed = yield* store.readPointer(key)
    if (pointed === undefined) return { pointed, marks: [] }
    const { marks } = yield* parseDocument(PipelineMarks, key, pointed.bytes)
    return { pointed, marks }
  })

  const write = Effect.fnUntraced(function* (pipeline: string, mark: RunMark) {
    const key = keyOf(pipeline)
    for (let moves = 0; moves < mostMoves; moves++) {
      const { marks, pointed } = yield* read(key)
      const next: PipelineMarks = { marks_version: 1, pipeline, marks: withMark(marks, mark) }
      if (yield* store.movePointer(key, pointed, documentOf(PipelineMarks, next).bytes)) return
    }
    const detail = `other processes write ${key} all the time: gave up after ${mostMoves} attempts`
    return yield* new MarkFailed({ place: store.address, detail })
  })

  const inWords = (error: StoreError | MarkFailed): MarkFailed =>
    error._tag === "MarkFailed" ? error : new MarkFailed({ place: store.address, detail: error.message })

  return {
    address: store.address,
    read: (pipeline) =>
      Effect.map(read(keyOf(pipeline)), ({ marks }): ReadonlyArray<RunMark> => marks).pipe(Effect.mapError(inWords)),
    write: (pipeline, mark) => Effect.mapError(write(pipeline, mark), inWords)
  }
}
