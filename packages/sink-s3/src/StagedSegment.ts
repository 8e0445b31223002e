import { promisify } from "node:util"
import { createGzip, gunzip, constants as zlib } from "node:zlib"
import type { JsonObject } from "@sluice/core/sink"
import { Effect, Schema } from "effect"
import type { DeadLetterRow, LakePage } from "./Columns.ts"
import { collectChunks } from "./collectChunks.ts"
import { type NewObject, type ObjectStore, objectOf } from "./ObjectStore.ts"
import type { SegmentContent } from "./SegmentContent.ts"
import { conflict, type StoreError } from "./StoreError.ts"
import { textChunks } from "./textChunks.ts"

// What a small segment holds, in one object: a line for each page and each dead letter. Parts are made of it when its run is published.

/** Lines go to the compressor in so many bytes. */
const chunkLength = 256 * 1024

/** Taken as it was parsed: a copy would lose a member such as `__proto__`. */
const Extra = Schema.declare((value): value is JsonObject | null => typeof value === "object")

const PageLine = Schema.Struct({
  jobId: Schema.String,
  key: Schema.BigIntFromString,
  url: Schema.String,
  inputIndex: Schema.NullOr(Schema.Int),
  parentUrl: Schema.NullOr(Schema.String),
  depth: Schema.NullOr(Schema.Int),
  status: Schema.Literals(["completed", "failed", "cancelled"]),
  errorCode: Schema.NullOr(Schema.String),
  errorMessage: Schema.NullOr(Schema.String),
  markdown: Schema.NullOr(Schema.String),
  html: Schema.NullOr(Schema.String),
  links: Schema.Array(Schema.String),
  httpStatus: Schema.NullOr(Schema.Int),
  durationMs: Schema.NullOr(Schema.Int),
  retryCount: Schema.NullOr(Schema.Int),
  tokensCharged: Schema.NullOr(Schema.Int),
  extra: Extra
})
const DeadLetterLine = Schema.Tuple([
  Schema.String,
  Schema.BigIntFromString,
  Schema.String,
  Schema.String,
  Schema.String,
  Schema.String
])
const Line = Schema.Union([PageLine, DeadLetterLine])
/** Drops what a record has besides. */
const encodeLine = Schema.encodeSync(Line)
const decodeLine = Schema.decodeUnknownEffect(Schema.fromJsonString(Line))

/** A segment as an object: the same content, the same bytes. */
export const stagedObject = ({ deadLetters, pages }: SegmentContent): Effect.Effect<NewObject> =>
  Effect.map(
    Effect.promise(() =>
      collectChunks(textChunks(linesOf(pages, deadLetters), chunkLength), createGzip({ level: zlib.Z_BEST_SPEED }))
    ),
    (bytes) => objectOf(bytes, "application/gzip")
  )

function* linesOf(pages: SegmentContent["pages"], deadLetters: SegmentContent["deadLetters"]): Generator<string> {
  for (const page of pages) yield `${JSON.stringify(encodeLine(page))}\n`
  for (const deadLetter of deadLetters) yield `${JSON.stringify(encodeLine(deadLetter))}\n`
}

const unzip = promisify(gunzip)

/** Reads a staged segment back; nothing where it is not there. */
export const readStaged = Effect.fnUntraced(function* (
  store: ObjectStore,
  key: string
): Effect.fn.Return<SegmentContent | undefined, StoreError> {
  const bytes = yield* store.read(key)
  if (bytes === undefined) return undefined
  const unreadable = () => conflict("read", key, "this object is none that this version of Sluice has written")
  const text = yield* Effect.tryPromise({ try: async () => (await unzip(bytes)).toString(), catch: unreadable })
  const pages: Array<LakePage> = []
  const deadLetters: Array<DeadLetterRow> = []
  for (const line of text.split("\n")) {
    if (line === "") continue
    const read = yield* Effect.mapError(decodeLine(line), unreadable)
    if ("jobId" in read) pages.push(read)
    else deadLetters.push(read)
  }
  return { pages, deadLetters }
})
