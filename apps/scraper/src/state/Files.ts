import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat, truncate } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Effect, Option, Schema } from "effect"

/** The state directory could not be read or written. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {}

const attempt = <A>(operation: string, run: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: run, catch: (cause) => new StoreError({ operation, cause }) })

const Coded = Schema.Struct({ code: Schema.String })
const isMissing = (error: StoreError) =>
  Option.exists(Schema.decodeUnknownOption(Coded)(error.cause), ({ code }) => code === "ENOENT")

/** Makes a directory and those above it. */
export const makeDirectory = (path: string) => Effect.asVoid(attempt("mkdir", () => mkdir(path, { recursive: true })))

/** The names in a directory; none if it does not exist. */
export const namesIn = (path: string) =>
  attempt("readdir", () => readdir(path)).pipe(
    Effect.catchIf(isMissing, () => Effect.succeed([])),
    Effect.map((names): ReadonlyArray<string> => names)
  )

/** Deletes a file or a directory with all it holds; nothing happens if it is not there. */
export const removePath = (path: string) => attempt("rm", () => rm(path, { recursive: true, force: true }))

/**
 * Replaces a file as a whole: after a crash it is the old or the new one. Synced before the rename. Readable by its owner
 * alone: some hold the headers of callers, some the secrets of webhooks.
 */
export const writeAtomic = (path: string, text: string) =>
  attempt("write", async () => {
    const temporary = `${path}.tmp`
    await mkdir(dirname(path), { recursive: true })
    const file = await open(temporary, "w", 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  })

/** The text of a file, or none if it does not exist. */
export const readText = (path: string) =>
  attempt("read", () => readFile(path, "utf8")).pipe(
    Effect.asSome,
    Effect.catchIf(isMissing, () => Effect.succeedNone)
  )

/** Appends to a file. It is with the operating system when this returns, but not synced. */
export const append = (path: string, text: string) => attempt("append", () => appendFile(path, text))

/** Syncs a file. */
export const sync = (path: string) =>
  attempt("sync", async () => {
    const file = await open(path, "a")
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  })

/** How many bytes a file holds; 0 if it does not exist. */
export const sizeOf = (path: string) =>
  attempt("stat", async () => (await stat(path)).size).pipe(Effect.catchIf(isMissing, () => Effect.succeed(0)))

/** How many bytes the files of a directory hold, and those beneath it; 0 if it does not exist. */
export const bytesIn = (path: string) =>
  attempt("stat", async () => {
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size))
    return sizes.reduce((sum, size) => sum + size, 0)
  }).pipe(Effect.catchIf(isMissing, () => Effect.succeed(0)))

/** The bytes of a file from `offset`, as text. */
export const readRange = (path: string, offset: number, length: number) =>
  attempt("read", async () => {
    const file = await open(path, "r")
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
      return buffer.toString("utf8", 0, bytesRead)
    } finally {
      await file.close()
    }
  })

/**
 * The complete lines of a file. A last line without its line feed was cut off by a crash: it is removed from the file,
 * so that the next append does not continue it.
 */
export const readLines = Effect.fnUntraced(function* (path: string) {
  const text = Option.getOrElse(yield* readText(path), () => "")
  const end = text.lastIndexOf("\n") + 1
  if (end < text.length) yield* attempt("truncate", () => truncate(path, Buffer.byteLength(text.slice(0, end))))
  return text.slice(0, end).split("\n").slice(0, -1)
})

/** Joins path segments. */
export const pathOf = join
