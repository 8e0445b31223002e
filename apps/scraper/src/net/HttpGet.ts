import { Context, Effect, Layer, type Scope, Semaphore } from "effect"
import { type Dispatcher, request } from "undici"
import { bytesFetched } from "../metrics/Metrics.ts"
import { ServerSettings, type Settings } from "../ScraperConfig.ts"
import { PageFailure } from "./PageFailure.ts"
import { acceptEncoding, readBody } from "./readBody.ts"
import { TargetAgent } from "./TargetAgent.ts"
import { targetFailure } from "./targetFailure.ts"
import { whenSent } from "./whenSent.ts"

/** The first part of an answer: enough to decide whether its body is wanted. */
export interface ResponseHead {
  readonly status: number
  readonly header: (name: string) => string | undefined
  /** Every header line, names in lower case. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
}

/** One HTTP answer. The body is decompressed, and empty if it was not wanted. */
export interface TargetResponse extends ResponseHead {
  readonly body: Uint8Array
}

/** How to make one request. */
export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  /** What to do with a larger body: fail, or keep the first `maxBytes`. */
  readonly beyondMax: "fail" | "truncate"
  /** Decides on the head alone: read the body, leave it, or fail. */
  readonly judge: (head: ResponseHead) => "read" | "leave" | PageFailure
  /** Told when the request goes out. */
  readonly sent: () => void
}

/**
 * The only place that asks targets for anything: one GET, no redirect, no retry, every address guarded. A large body
 * counts against the memory for bodies until the scope closes; where that is used up, the target is kept waiting.
 */
export class HttpGet extends Context.Service<
  HttpGet,
  { readonly get: (url: string, options: GetOptions) => Effect.Effect<TargetResponse, PageFailure, Scope.Scope> }
>()("@sluice/scraper/net/HttpGet") {
  static readonly layer: Layer.Layer<HttpGet, never, ServerSettings | TargetAgent> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const { dispatcherFor } = yield* TargetAgent
      const run = Effect.runPromiseWith(yield* Effect.context())
      // Counted by the page, each at its largest: who has begun to hold one can always go on, so none waits for another.
      const large = yield* Semaphore.make(Math.max(1, Math.floor(settings.bodyBudgetBytes / settings.maxPageBytes)))

      return HttpGet.of({
        get: Effect.fnUntraced(function* (url, options) {
          let isHeld = false
          const release = Effect.suspend(() => {
            if (!isHeld) return Effect.void
            isHeld = false
            return large.release(1)
          })
          yield* Effect.addFinalizer(() => release)
          const grow = async (signal: AbortSignal) => {
            const hold = Effect.sync(() => {
              isHeld = true
            })
            await run(Effect.andThen(large.take(1), hold), { signal })
          }
          const dispatcher = yield* dispatcherFor(url)
          return yield* Effect.tryPromise({
            try: (signal) => readResponse({ dispatcher, settings, url, options, grow }, signal),
            catch: targetFailure
          }).pipe(
            Effect.tap(({ body }) => bytesFetched(body.byteLength)),
            Effect.onError(() => release)
          )
        })
      })
    })
  )
}

interface Request {
  readonly dispatcher: Dispatcher
  readonly settings: Settings
  readonly url: string
  readonly options: GetOptions
  readonly grow: (signal: AbortSignal) => Promise<void>
}

const readResponse = async (asked: Request, interrupted: AbortSignal): Promise<TargetResponse> => {
  const { dispatcher, options, settings, url } = asked
  const deadline = new Deadline(settings.pageTimeoutMs, interrupted)
  const { signal } = deadline
  try {
    const { body, headers, statusCode } = await request(url, {
      dispatcher: whenSent(dispatcher, options.sent),
      signal,
      headers: { ...options.headers, "accept-encoding": acceptEncoding }
    })
    // What is destroyed unread says so by an event, which nobody else may be there to hear.
    body.on("error", () => undefined)
    const header = (name: string) => {
      const value = headers[name]
      return Array.isArray(value) ? value[0] : value
    }
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each) => [name, each] as const)
    )
    const head: ResponseHead = { status: statusCode, header, headers: lines }
    try {
      const verdict = options.judge(head)
      if (verdict === "read") {
        const read = await readBody(body, {
          ...settings,
          status: statusCode,
          encoding: header("content-encoding") ?? "",
          length: header("content-length"),
          maxBytes: options.maxBytes,
          beyondMax: options.beyondMax,
          grow: () => deadline.pausedFor(() => asked.grow(signal))
        })
        return { ...head, body: read }
      }
      // An unread body blocks its connection: a short one is read off, a slow or long one costs the connection.
      const patience = setTimeout(() => body.destroy(), 1000)
      await body.dump({ limit: 64 * 1024, signal }).catch(() => undefined)
      clearTimeout(patience)
      if (verdict !== "leave") throw verdict
      return { ...head, body: new Uint8Array(0) }
    } finally {
      body.destroy()
    }
  } catch (error) {
    throw deadline.failure ?? error
  } finally {
    deadline.end()
  }
}

/** The longest time for an answer. Time spent on waiting for this server itself does not count. */
class Deadline {
  failure: PageFailure | undefined
  private readonly controller = new AbortController()
  private readonly interrupted: AbortSignal
  private readonly timeoutMs: number
  private leftMs: number
  private startedAt = 0
  private timer: NodeJS.Timeout | undefined

  constructor(timeoutMs: number, interrupted: AbortSignal) {
    this.timeoutMs = timeoutMs
    this.leftMs = timeoutMs
    this.interrupted = interrupted
    interrupted.addEventListener("abort", this.abort, { once: true })
    this.start()
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  async pausedFor(pause: () => Promise<void>): Promise<void> {
    clearTimeout(this.timer)
    this.leftMs -= performance.now() - this.startedAt
    await pause()
    this.start()
  }

  end(): void {
    clearTimeout(this.timer)
    this.interrupted.removeEventListener("abort", this.abort)
  }

  private readonly abort = () => this.controller.abort()

  private start(): void {
    this.startedAt = performance.now()
    this.timer = setTimeout(() => {
      this.failure = new PageFailure({
        code: "TIMEOUT",
        message: `No complete answer within ${this.timeoutMs} ms`,
        retryable: true,
        httpStatus: null
      })
      this.abort()
    }, this.leftMs)
  }
}
