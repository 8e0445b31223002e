import { pipeline, type Readable } from "node:stream"
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib"
import { Context, Effect, Layer, Option, Predicate, Schema } from "effect"
import { type Dispatcher, request } from "undici"
import { bytesFetched } from "./metrics/Metrics.ts"
import { finalFailure, type PageErrorCode, PageFailure } from "./PageFailure.ts"
import { ServerSettings } from "./ScraperConfig.ts"
import { TargetAgent } from "./TargetAgent.ts"

/** The first part of an answer: enough to decide whether its body is wanted. */
export interface AnswerHead {
  readonly status: number
  readonly header: (name: string) => string | undefined
}

/** One HTTP answer. The body is decompressed, and empty if it was not wanted. */
export interface Answer extends AnswerHead {
  /** Every header line, names in lower case. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Uint8Array
}

/** How to make one request. */
export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  /** What to do with a larger body: fail, or keep the first `maxBytes`. */
  readonly beyondMax: "fail" | "truncate"
  /** Decides on the head alone: read the body, leave it, or fail. */
  readonly judge: (head: AnswerHead) => "read" | "leave" | PageFailure
}

/** The only place that asks targets for anything: one GET, no redirect, no retry, every address guarded. */
export class HttpGet extends Context.Service<
  HttpGet,
  { readonly get: (url: string, options: GetOptions) => Effect.Effect<Answer, PageFailure> }
>()("@sluice/scraper/HttpGet") {
  static readonly layer: Layer.Layer<HttpGet, never, ServerSettings | TargetAgent> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      const { dispatcherFor } = yield* TargetAgent
      return HttpGet.of({
        get: (url, options) =>
          Effect.flatMap(dispatcherFor(url), (dispatcher) =>
            Effect.tryPromise({
              try: (signal) => readAnswer(dispatcher, url, options, signal),
              catch: toPageFailure
            })
          ).pipe(
            Effect.tap(({ body }) => bytesFetched(body.byteLength)),
            Effect.timeoutOrElse({
              duration: settings.pageTimeoutMs,
              orElse: () =>
                new PageFailure({
                  code: "TIMEOUT",
                  message: `No complete answer within ${settings.pageTimeoutMs} ms`,
                  retryable: true,
                  httpStatus: null
                })
            })
          )
      })
    })
  )
}

const readAnswer = async (
  dispatcher: Dispatcher,
  url: string,
  options: GetOptions,
  signal: AbortSignal
): Promise<Answer> => {
  const { body, headers, statusCode } = await request(url, {
    dispatcher,
    signal,
    headers: { ...options.headers, "accept-encoding": "gzip, deflate, br" }
  })
  const head: AnswerHead = {
    status: statusCode,
    header: (name) => {
      const value = headers[name]
      return Array.isArray(value) ? value[0] : value
    }
  }
  try {
    const verdict = options.judge(head)
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each) => [name, each] as const)
    )
    if (verdict === "read") return { ...head, headers: lines, body: await readBody(body, head, options) }
    // An unread body blocks its connection: a short one is read off, a slow or long one costs the connection.
    const patience = setTimeout(() => body.destroy(), 1000)
    await body.dump({ limit: 64 * 1024, signal }).catch(() => undefined)
    clearTimeout(patience)
    if (verdict !== "leave") throw verdict
    return { ...head, headers: lines, body: new Uint8Array(0) }
  } catch (error) {
    body.destroy()
    throw error
  }
}

const readBody = async (body: Readable, head: AnswerHead, options: GetOptions): Promise<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of decompressed(body, head)) {
    chunks.push(chunk)
    size += chunk.byteLength
    if (size > options.maxBytes) {
      if (options.beyondMax === "truncate") break
      throw finalFailure("PAGE_TOO_LARGE", `The page is larger than ${options.maxBytes} bytes`, head.status)
    }
  }
  return Buffer.concat(chunks).subarray(0, options.maxBytes)
}

const decompressed = (body: Readable, head: AnswerHead): Readable => {
  const encodings = (head.header("content-encoding") ?? "").split(",").map((name) => name.trim().toLowerCase())
  return encodings.reverse().reduce<Readable>((stream, encoding) => {
    const decoder = decoderOf(encoding)
    // The reader of the last stream sees every error: `pipeline` destroys what follows with it.
    return decoder === undefined ? stream : pipeline(stream, decoder, () => undefined)
  }, body)
}

const decoderOf = (encoding: string) => {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip()
    case "deflate":
      return createInflate()
    case "br":
      return createBrotliDecompress()
    case "":
    case "identity":
      return undefined
    default:
      throw finalFailure("CONVERSION_ERROR", `Unknown content encoding ${encoding}`)
  }
}

const codes: Readonly<Record<string, readonly [code: PageErrorCode, retryable: boolean, message: string]>> = {
  BLOCKED_ADDRESS: ["BLOCKED_TARGET", false, "The target's address is not public"],
  ENOTFOUND: ["DNS_ERROR", false, "The target's name does not resolve"],
  EAI_AGAIN: ["DNS_ERROR", true, "The target's name could not be resolved now"],
  UND_ERR_CONNECT_TIMEOUT: ["TIMEOUT", true, "The target did not accept the connection in time"],
  UND_ERR_HEADERS_TIMEOUT: ["TIMEOUT", true, "The target did not answer in time"],
  UND_ERR_BODY_TIMEOUT: ["TIMEOUT", true, "The target stopped sending"],
  UND_ERR_INVALID_ARG: ["INVALID_URL", false, "The request cannot be sent"],
  Z_DATA_ERROR: ["CONVERSION_ERROR", false, "The compressed body is damaged"],
  Z_BUF_ERROR: ["CONVERSION_ERROR", false, "The compressed body is cut off"]
}

const Coded = Schema.Struct({ code: Schema.String })

const toPageFailure = (cause: unknown): PageFailure => {
  if (cause instanceof PageFailure) return cause
  const code = Option.match(Schema.decodeUnknownOption(Coded)(cause), { onNone: () => "", onSome: (_) => _.code })
  const [pageCode, retryable, text] = codes[code] ?? (["CONNECTION_ERROR", true, "The connection failed"] as const)
  const detail = Predicate.isError(cause) && cause.message !== "" ? cause.message : code
  return new PageFailure({
    code: pageCode,
    message: detail === "" ? text : `${text}: ${detail}`,
    retryable,
    httpStatus: null
  })
}
