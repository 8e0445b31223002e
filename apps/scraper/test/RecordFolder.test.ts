import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { openRecordFolder, type Retention, retainAll } from "../src/jobs/RecordFolder.ts"
import { openDirectoryState } from "../src/state/DirectoryState.ts"
import type { State } from "../src/state/State.ts"
import { stateDirectory } from "./TestScraper.ts"

const Note = Schema.Struct({ id: Schema.String, seq: Schema.Int, endedAt: Schema.NullOr(Schema.Int) })

const openNotes = (state: State, retain: Partial<Retention>) =>
  openRecordFolder(state, "notes", Note, {
    manifest: "note.json",
    retain: { ...retainAll, ...retain },
    endedAt: (note) => note.endedAt ?? undefined
  })
type Notes = Effect.Success<ReturnType<typeof openNotes>>

/** Adds a record, ended now or open, with a text of so many bytes beside its manifest. */
const add = Effect.fnUntraced(function* (state: State, notes: Notes, id: string, isOpen = false, bytes = 1) {
  yield* state.write(`${yield* notes.prepare(id)}/text`, "x".repeat(bytes))
  yield* notes.add({ id, seq: notes.nextSeq(), endedAt: isOpen ? null : yield* Clock.currentTimeMillis })
})

const kept = (notes: Notes) => [...notes.records.keys()].sort().join("")

describe("RecordFolder", () => {
  it.effect("keeps the newest so many that have ended, and all that have not", () =>
    Effect.gen(function* () {
      const state = openDirectoryState(yield* stateDirectory)
      const notes = yield* openNotes(state, { count: 2 })
      yield* add(state, notes, "a", true)
      for (const id of ["b", "c", "d", "e"]) yield* add(state, notes, id)
      assert.strictEqual(kept(notes), "ade")
      assert.strictEqual(kept(yield* openNotes(state, { count: 1 })), "ae")
      assert.strictEqual(yield* state.bytesIn("notes/d"), 0)
    })
  )

  it.effect("deletes what has grown too old, though nothing is added", () =>
    Effect.gen(function* () {
      const state = openDirectoryState(yield* stateDirectory)
      const notes = yield* openNotes(state, { ageMs: 1000 })
      yield* add(state, notes, "a")
      yield* add(state, notes, "b", true)
      yield* TestClock.adjust(600)
      yield* add(state, notes, "c")
      yield* TestClock.adjust(399)
      yield* notes.sweep
      assert.strictEqual(kept(notes), "abc")
      yield* TestClock.adjust(1)
      yield* notes.sweep
      assert.strictEqual(kept(notes), "bc")
    })
  )

  it.effect("keeps no more bytes than it may, the newest first", () =>
    Effect.gen(function* () {
      const state = openDirectoryState(yield* stateDirectory)
      const notes = yield* openNotes(state, { bytes: 3000 })
      yield* add(state, notes, "a", true, 9000)
      for (const id of ["b", "c", "d"]) yield* add(state, notes, id, false, 1000)
      assert.strictEqual(kept(notes), "acd")
      yield* add(state, notes, "e", false, 2900)
      assert.strictEqual(kept(notes), "ae")
    })
  )

  it.effect("has no record left half deleted after a crash", () =>
    Effect.gen(function* () {
      const state = openDirectoryState(yield* stateDirectory)
      const notes = yield* openNotes(state, {})
      yield* add(state, notes, "a")
      yield* add(state, notes, "b")
      // The process is killed at its first deletion, and after it.
      for (const deletions of [0, 1]) {
        let left = deletions
        const dying = { ...state, remove: (path: string) => (left-- > 0 ? state.remove(path) : Effect.die("killed")) }
        yield* Effect.exit(Effect.flatMap(openNotes(dying, {}), (open) => open.remove("a")))
        const after = yield* openNotes(state, {})
        assert.strictEqual(kept(after), deletions === 0 ? "ab" : "b")
        assert.strictEqual((yield* state.bytesIn("notes/a")) > 0, deletions === 0)
      }
    })
  )
})
