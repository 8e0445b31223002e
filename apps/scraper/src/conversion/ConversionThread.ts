import { existsSync } from "node:fs"
import { Worker } from "node:worker_threads"
import { Effect, type Scope } from "effect"
import { finalFailure, type PageFailure } from "../net/PageFailure.ts"
import type { ConversionReply } from "./conversionWorker.ts"
import type { ConversionRequest, PageContent } from "./PageContent.ts"

/** Beside this module under the same extension: as source, built, and where both are bundled into one folder. */
const entry = new URL(`./conversionWorker${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url)

/** Whether the program of the threads is where it should be: a bundle made without it could convert no large page. */
export const isThreadProgramThere = (): boolean => existsSync(entry)

/** A thread that converts one page at a time. One that failed or was interrupted may be dead or at work still: use it no more. */
export interface ConversionThread {
  readonly convert: (request: ConversionRequest) => Effect.Effect<PageContent, PageFailure>
}

/** What bounds a conversion in a thread. */
export interface ConversionBounds {
  readonly heapMiB: number
  readonly timeoutMs: number
}

/** Starts a thread, which is stopped with the scope, whatever it does. */
export const conversionThread = (bounds: ConversionBounds): Effect.Effect<ConversionThread, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => start(bounds.heapMiB)),
      (thread) => Effect.promise(() => thread.worker.terminate())
    ),
    (thread) => {
      const told = (begin: () => void) =>
        Effect.callback<PageContent | "ready", PageFailure>((resume) => {
          if (thread.death !== undefined) return resume(Effect.fail(thread.death))
          thread.tell = resume
          begin()
        })
      // A page has its time from when the thread has started, which may take a while on a busy machine.
      const ready = Effect.suspend(() => (thread.isReady ? Effect.void : told(() => undefined)))
      return {
        convert: (request) =>
          Effect.andThen(
            ready,
            told(() => thread.worker.postMessage(request)).pipe(
              Effect.filterOrElse(
                (answer): answer is PageContent => answer !== "ready",
                () => Effect.die("a thread is ready once")
              ),
              Effect.timeoutOrElse({
                duration: bounds.timeoutMs,
                orElse: () =>
                  finalFailure("CONVERSION_TIMEOUT", `The page takes more than ${bounds.timeoutMs} ms to convert`)
              })
            )
          )
      }
    }
  )

/** A worker, who waits for what it tells, and why it died. */
interface Thread {
  readonly worker: Worker
  isReady: boolean
  tell: ((news: Effect.Effect<PageContent | "ready", PageFailure>) => void) | undefined
  death: PageFailure | undefined
}

const start = (heapMiB: number): Thread => {
  // Of the environment it needs nothing, least of all keys.
  const worker = new Worker(entry, { env: {}, resourceLimits: { maxOldGenerationSizeMb: heapMiB } })
  const thread: Thread = { worker, isReady: false, tell: undefined, death: undefined }
  worker.on("message", (reply: ConversionReply) => {
    if (reply._tag === "Ready") {
      thread.isReady = true
      thread.tell?.(Effect.succeed("ready"))
    } else
      thread.tell?.(reply._tag === "Converted" ? Effect.succeed(reply.content) : Effect.fail(failed(reply.message)))
  })
  // The reason is told before the end.
  worker.on("error", (error: NodeJS.ErrnoException) => {
    thread.death =
      error.code === "ERR_WORKER_OUT_OF_MEMORY"
        ? finalFailure("PAGE_TOO_COMPLEX", `The page takes more than ${heapMiB} MiB of memory to convert`)
        : failed(String(error))
  })
  worker.on("exit", () => {
    thread.death ??= failed("its thread ended")
    thread.tell?.(Effect.fail(thread.death))
  })
  return thread
}

const failed = (why: string) => finalFailure("CONVERSION_ERROR", `The page cannot be converted: ${why}`)
