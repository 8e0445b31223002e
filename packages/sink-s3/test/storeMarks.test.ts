import { writeFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { RunMark } from "@sluice/core/sink"
import { Effect } from "effect"
import { marks } from "../src/Directory.ts"
import { directoryStore } from "../src/DirectoryStore.ts"
import { storeMarks } from "../src/storeMarks.ts"
import { folder } from "./folder.ts"

const mark = (ledger: string, run: number): RunMark => ({
  ledger,
  run_id: `run-${run}`,
  started_at: "2026-05-01T00:00:00.000Z",
  submissions: run
})

describe("marks in a store", () => {
  it.live("are one a ledger, the newest first, and eight at most", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const place = marks(path)
      assert.deepStrictEqual(yield* place.read("p"), [])
      yield* place.write("p", mark("a", 1))
      yield* place.write("p", mark("b", 2))
      yield* place.write("p", { ...mark("a", 3), doubt: { why: "it is empty", is_certain: false } })
      yield* place.write("q", mark("a", 4))
      const read = yield* marks(path).read("p")
      assert.deepStrictEqual(read, [
        { ...mark("a", 3), doubt: { why: "it is empty", is_certain: false } },
        mark("b", 2)
      ])
      // A plain file is there for people.
      const text = yield* Effect.promise(() => readFile(join(path, "p.json"), "utf8"))
      assert.deepStrictEqual(JSON.parse(text), { marks_version: 1, pipeline: "p", marks: read })
      for (let run = 5; run < 20; run++) yield* place.write("p", mark(`ledger ${run}`, run))
      assert.deepStrictEqual(
        (yield* place.read("p")).map(({ run_id }) => run_id),
        [19, 18, 17, 16, 15, 14, 13, 12].map((run) => `run-${run}`)
      )
    })
  )

  it.live("are kept where two processes write at once", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const places = [marks(path), marks(path)]
      yield* Effect.forEach(places, (place, at) => place.write("p", mark(`${at}`, at)), { concurrency: 2 })
      const read = yield* marks(path).read("p")
      assert.sameDeepMembers([...read], [mark("0", 0), mark("1", 1)])
    })
  )

  it.live("that cannot be read or written are told of by their place", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const place = storeMarks(directoryStore(path), () => "marks.json")
      yield* place.write("p", mark("a", 1))
      writeFileSync(join(path, "marks.json.000000001"), "{")
      const failure = yield* Effect.flip(place.read("p"))
      assert.include(failure.message, `${path}: this object is none that this version of Sluice has written`)
      const file = join(path, "a-file")
      writeFileSync(file, "")
      const refused = yield* Effect.flip(marks(file).write("p", mark("a", 1)))
      assert.include(refused.message, "a part of its path is a file")
    })
  )
})
