import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { openPageLog, type PageRow } from "../src/crawler/PageLog.ts"
import { openDirectoryState } from "../src/state/DirectoryState.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "scraper-log-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const row = (url: string): PageRow => ({
  url,
  status: "completed",
  error_code: null,
  error_message: null,
  links: [],
  data: { markdown: "\u00e4\u{1f600}\n", html: null },
  metadata: { http_status: 200, duration_ms: 1, retry_count: 0, tokens_charged: 1 }
})

/** A log of two finished pages and an open one. */
const written = Effect.fnUntraced(function* (path: string) {
  const log = openPageLog(openDirectoryState(path), ".")
  yield* log.appendEvents([{ t: "found", url: "http://a/", parent: null, depth: 1 }])
  for (const [id, url] of ["http://a/", "http://a/b"].entries()) {
    const at = yield* log.appendRow(row(url))
    yield* log.appendEvents([
      { t: "found", url: `http://a/${"bc"[id]}`, parent: id, depth: 2 },
      { t: "done", id, status: "completed", url, ...at }
    ])
  }
  return log
})

describe("PageLog", () => {
  it.effect("gives back what was written", () =>
    Effect.gen(function* () {
      const path = yield* directory
      yield* written(path)
      const log = openPageLog(openDirectoryState(path), ".")
      const state = yield* log.load
      assert.deepStrictEqual(state.counts(), { total: 3, completed: 2, failed: 0, cancelled: 0 })
      assert.strictEqual(state.openPages()[0], 2)
      const second = state.pages[1]
      const read = yield* log.readRow(second?.offset ?? 0, second?.size ?? 0)
      assert.deepStrictEqual(Option.getOrThrow(read), row("http://a/b"))
    })
  )

  it.effect("forgets a line that was cut off, and goes on after it", () =>
    Effect.gen(function* () {
      const path = yield* directory
      yield* written(path)
      appendFileSync(join(path, "log.jsonl"), '{"t":"done","id":2,"sta')
      const log = openPageLog(openDirectoryState(path), ".")
      assert.strictEqual((yield* log.load).counts().completed, 2)
      yield* log.appendEvents([{ t: "cancelled" }])
      assert.strictEqual((yield* openPageLog(openDirectoryState(path), ".").load).counts().cancelled, 1)
    })
  )

  it.effect("opens a page again whose row is not on disk", () =>
    Effect.gen(function* () {
      const path = yield* directory
      yield* written(path)
      const pages = join(path, "pages.jsonl")
      truncateSync(pages, readFileSync(pages).byteLength - 5)
      const log = openPageLog(openDirectoryState(path), ".")
      const state = yield* log.load
      assert.strictEqual(state.openPages()[0], 1)
      // What is appended now stands behind the damaged row.
      const at = yield* log.appendRow(row("http://a/b"))
      assert.isTrue(Option.isSome(yield* log.readRow(at.offset, at.size)))
    })
  )

  it.effect("keeps the part before a damaged line", () =>
    Effect.gen(function* () {
      const path = yield* directory
      yield* written(path)
      const file = join(path, "log.jsonl")
      const lines = readFileSync(file, "utf8").split("\n")
      writeFileSync(file, [...lines.slice(0, 3), "\0\0\0", ...lines.slice(3)].join("\n"))
      assert.strictEqual((yield* openPageLog(openDirectoryState(path), ".").load).counts().completed, 1)
      assert.strictEqual(readFileSync(file, "utf8"), `${lines.slice(0, 3).join("\n")}\n`)
    })
  )
})
