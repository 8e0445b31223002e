import { CrawlData, ItemMetadata } from "@sluice/contract"
import { Effect, Option, Schema, Semaphore } from "effect"
import type { StoreError } from "../state/Files.ts"
import type { State } from "../state/State.ts"
import { PageState } from "./PageState.ts"

/** One line of a job's log. Pages are numbered by their `found` lines. */
export const PageEvent = Schema.Union([
  Schema.Struct({
    t: Schema.tag("found"),
    url: Schema.String,
    parent: Schema.NullOr(Schema.Int),
    depth: Schema.Int,
    index: Schema.optionalKey(Schema.Int)
  }),
  Schema.Struct({
    t: Schema.tag("done"),
    id: Schema.Int,
    status: Schema.Literals(["completed", "failed"]),
    url: Schema.String,
    offset: Schema.Int,
    size: Schema.Int
  }),
  Schema.Struct({ t: Schema.tag("followed"), id: Schema.Int }),
  Schema.Struct({ t: Schema.tag("dropped"), id: Schema.Int }),
  Schema.Struct({ t: Schema.tag("refused"), url: Schema.String }),
  Schema.Struct({ t: Schema.tag("cancelled") })
])
export type PageEvent = typeof PageEvent.Type

/** How a page ended, with its content. */
export const PageRow = Schema.Struct({
  url: Schema.String,
  status: Schema.Literals(["completed", "failed"]),
  error_code: Schema.NullOr(Schema.String),
  error_message: Schema.NullOr(Schema.String),
  links: Schema.Array(Schema.String),
  data: Schema.NullOr(CrawlData),
  metadata: ItemMetadata
})
export type PageRow = typeof PageRow.Type

const Event = Schema.fromJsonString(PageEvent)
const Row = Schema.fromJsonString(PageRow)
const encodeEvents = Schema.encodeEffect(Schema.Array(Event))
const encodeRow = Schema.encodeEffect(Row)

/**
 * The texts of one job: `pages.jsonl` with a row per ended page, and `log.jsonl` with what happened, small enough to
 * be read back whole. Both only grow. A row is written before the log line that points to it, so after `kill -9` the
 * log never tells of a page that is not there; a row without its line is fetched again. They are synced when the job
 * begins and ends: a power failure in between may cost pages, not the job.
 */
export interface PageLog {
  /** Reads the log back. Ends without a row are skipped. */
  readonly load: Effect.Effect<PageState, StoreError>
  /** Appends a row; answers where it is. */
  readonly appendRow: (row: PageRow) => Effect.Effect<{ readonly offset: number; readonly size: number }, StoreError>
  /** Appends events in one write. */
  readonly appendEvents: (events: ReadonlyArray<PageEvent>) => Effect.Effect<void, StoreError>
  /** Reads a row back; none if the bytes there are damaged. */
  readonly readRow: (offset: number, size: number) => Effect.Effect<Option.Option<PageRow>, StoreError>
  readonly sync: Effect.Effect<void, StoreError>
}

/** Opens the log in a job's place, which must be prepared. There must be one per job. */
export const openPageLog = (store: State, place: string): PageLog => {
  const pagesPath = `${place}/pages.jsonl`
  const logPath = `${place}/log.jsonl`
  const writing = Semaphore.makeUnsafe(1)
  // Where the next row goes; unknown until asked, and again after a failed write.
  let end: number | undefined

  const load = Effect.gen(function* () {
    const state = new PageState()
    const size = yield* store.sizeOf(pagesPath)
    const lines = yield* store.readLines(logPath)
    for (const [index, line] of lines.entries()) {
      const event = Schema.decodeOption(Event)(line)
      if (Option.isNone(event)) {
        // Damage that only a power failure can do. What follows it cannot be trusted, nor what would be appended.
        yield* store.write(
          logPath,
          lines
            .slice(0, index)
            .map((valid) => `${valid}\n`)
            .join("")
        )
        break
      }
      replay(state, event.value, size)
    }
    return state
  })

  const appendRow = Effect.fnUntraced(function* (row: PageRow) {
    const line = `${yield* Effect.orDie(encodeRow(row))}\n`
    const size = Buffer.byteLength(line)
    const offset = end ?? (yield* store.sizeOf(pagesPath))
    end = undefined
    yield* store.append(pagesPath, line)
    end = offset + size
    return { offset, size }
  }, writing.withPermits(1))

  return {
    load,
    appendRow,
    appendEvents: Effect.fnUntraced(function* (events) {
      const lines = yield* Effect.orDie(encodeEvents(events))
      yield* store.append(logPath, lines.map((line) => `${line}\n`).join(""))
    }, writing.withPermits(1)),
    readRow: (offset, size) =>
      Effect.map(store.readAppended(pagesPath, offset, size), (line) => Schema.decodeOption(Row)(line)),
    sync: Effect.andThen(store.sync(pagesPath), store.sync(logPath))
  }
}

const replay = (state: PageState, event: PageEvent, pagesSize: number): void => {
  switch (event.t) {
    case "found":
      state.discover(event)
      break
    case "done":
      if (event.offset + event.size <= pagesSize) {
        state.finish(event.id, event.status, event.url, event.offset, event.size)
      }
      break
    case "followed":
      state.follow(event.id)
      break
    case "dropped":
      state.drop(event.id)
      break
    case "refused":
      state.refused.push(event.url)
      break
    case "cancelled":
      state.cancelOpen(true)
  }
}
