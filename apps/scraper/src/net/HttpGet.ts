import { isUtf8 } from "node:buffer"
import type { Readable } from "node:stream"
import { Context, Effect, Layer, type Scope, Semaphore } from "effect"
import { type buildConnector, type Dispatcher, request } from "undici"
import { bytesFetched } from "../metrics/Metrics.ts"
import { ServerSettings, type Settings } from "../ScraperConfig.ts"
import { askLeniently } from "./LenientMessage.ts"
import type { OpenedResponse } from "./OpenedResponse.ts"
import { PageFailure } from "./PageFailure.ts"
import { acceptEncoding, readBody } from "./readBody.ts"
import { TargetAgent } from "./TargetAgent.ts"
import { lengthUnclear, targetFailure } from "./targetFailure.ts"
import { type RawHeaders, whenSent } from "./whenSent.ts"

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
      const { connect, dispatcher: direct, dispatcherFor } = yield* TargetAgent
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
          let isHeaded = false
          const headed = () => {
            isHeaded = true
          }
          const readBy = (open: Open) =>
            Effect.tryPromise({
              try: (signal) => readResponse({ open, settings, url, options, grow, headed }, signal),
              catch: targetFailure
            })
          const leniently = (failure: PageFailure) =>
            Effect.andThen(release, readBy(openLeniently(connect))).pipe(
              Effect.mapError((again) => (unreadable.has(again.code) ? failure : again))
            )
          // What goes through a proxy is read strictly: there is no connection of one's own.
          const isMisread = ({ code, httpStatus, message }: PageFailure) =>
            dispatcher === direct &&
            httpStatus === null &&
            (code === "PROTOCOL_ERROR" || (!isHeaded && message.startsWith(lengthUnclear)))
          return yield* readBy(openStrictly(dispatcher)).pipe(
            Effect.catch((failure) => (isMisread(failure) ? leniently(failure) : Effect.fail(failure))),
            Effect.tap(({ body }) => bytesFetched(body.byteLength)),
            Effect.onError(() => release)
          )
        })
      })
    })
  )
}

/** What an answer is that cannot be read leniently either. */
const unreadable = new Set<PageFailure["code"]>(["PROTOCOL_ERROR", "CONNECTION_ERROR"])

type Open = (
  request: Request,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal
) => Promise<OpenedResponse>

interface Request {
  readonly open: Open
  readonly settings: Settings
  readonly url: string
  readonly options: GetOptions
  readonly grow: (signal: AbortSignal) => Promise<void>
  /** Told once the headers are there. */
  readonly headed: () => void
}

const openStrictly =
  (dispatcher: Dispatcher): Open =>
  async ({ headed, options, url }, headers, signal) => {
    let lines: OpenedResponse["lines"] = []
    const { body, statusCode } = await request(url, {
      dispatcher: whenSent(dispatcher, options.sent, (raw) => {
        lines = headerLines(raw)
        headed()
      }),
      signal,
      headers
    })
    return { status: statusCode, lines, body }
  }

const openLeniently =
  (connect: buildConnector.connector): Open =>
  ({ options, settings, url }, headers, signal) =>
    new Promise((resolve, reject) => {
      const { hostname, port, protocol } = new URL(url)
      const target = {
        hostname: hostname.replace(/^\[|\]$/g, ""),
        host: hostname,
        protocol,
        port: portOf(port, protocol)
      }
      connect(target, (error, socket) => {
        if (error !== null) return reject(error)
        socket.on("error", () => undefined)
        const end = () => socket.destroy()
        signal.addEventListener("abort", end, { once: true })
        if (signal.aborted) end()
        options.sent()
        askLeniently(socket, { url, headers, maxHeaderBytes: settings.maxTargetHeaderBytes }).then((opened) => {
          opened.body.on("close", end)
          resolve(opened)
        }, reject)
      })
    })

const portOf = (port: string, protocol: string): string => (port !== "" ? port : protocol === "https:" ? "443" : "80")

/** The octets of a header are UTF-8 where they can be, and else Latin-1; those of cookies go back as they came. */
const headerLines = (raw: RawHeaders): OpenedResponse["lines"] => {
  const lines: Array<readonly [string, string]> = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = Buffer.from(raw[at] ?? "")
      .toString("latin1")
      .toLowerCase()
    const value = Buffer.from(raw[at + 1] ?? "")
    lines.push([name, name === "set-cookie" || !isUtf8(value) ? value.toString("latin1") : value.toString()])
  }
  return lines
}

const readResponse = async (asked: Request, interrupted: AbortSignal): Promise<TargetResponse> => {
  const { options, settings } = asked
  const deadline = new Deadline(settings.pageTimeoutMs, interrupted)
  const { signal } = deadline
  try {
    const { body, lines, status } = await asked.open(
      asked,
      { ...options.headers, "accept-encoding": acceptEncoding },
      signal
    )
    // What is destroyed unread says so by an event, which nobody else may be there to hear.
    body.on("error", () => undefined)
    const header = (name: string) => lines.find(([each]) => each === name)?.[1]
    const head: ResponseHead = { status, header, headers: lines }
    try {
      const verdict = options.judge(head)
      if (verdict === "read") {
        const read = await readBody(body, {
          ...settings,
          status,
          encoding: lines.flatMap(([name, value]) => (name === "content-encoding" ? [value] : [])).join(","),
          length: header("content-length"),
          maxBytes: options.maxBytes,
          beyondMax: options.beyondMax,
          grow: () => deadline.pausedFor(() => asked.grow(signal))
        })
        return { ...head, body: read }
      }
      // An unread body blocks its connection: a short one is read off, a slow or long one costs the connection.
      const patience = setTimeout(() => body.destroy(), 1000)
      await readOff(body, signal).catch(() => undefined)
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

/** Octets of an unwanted body that are read to keep its connection. */
const maxUnwanted = 64 * 1024

const readOff = async (body: Readable, signal: AbortSignal): Promise<void> => {
  signal.addEventListener("abort", () => body.destroy(), { once: true })
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxUnwanted) return
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
