import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { setTimeout } from "node:timers/promises"
import { Effect, Redacted, type Scope } from "effect"
import { asKept, type WriteConditions } from "./conditions.ts"
import { handlers } from "./handlers/index.ts"
import { ObjectStore } from "./ObjectStore.ts"
import { checkAllowed, operationOf, type S3Operation } from "./Operations.ts"
import { verifyPayload } from "./payload.ts"
import type { S3Answer } from "./S3Answer.ts"
import type { S3Endpoint } from "./S3Endpoint.ts"
import { errorAnswer, S3Error } from "./S3Error.ts"
import { type S3Fault, S3FaultPlan, type S3FaultRule, usualCode } from "./S3Faults.ts"
import { type S3Target, targetOf } from "./S3Request.ts"
import { verifySignature } from "./Signature.ts"
import { sendAnswer } from "./sendAnswer.ts"

/** One request as it came in, and what was done to it. */
export interface ReceivedS3Request {
  readonly method: string
  /** The operation's name in the S3 API; nothing where the server does not have it. */
  readonly operation: S3Operation | undefined
  readonly bucket: string
  /** Empty where a bucket is meant. */
  readonly key: string
  /** The name of the fault that was played, if one was. */
  readonly fault: string | null
}

/** How the server behaves. */
export interface S3ServerOptions {
  readonly region?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly faults?: ReadonlyArray<S3FaultRule>
  /** As S3 keeps them when absent. */
  readonly writeConditions?: WriteConditions
  /** Decides faults of a probability. */
  readonly seed?: number
  /** Run as a request arrives, before it has any effect: what it does to the client, it does in the middle of this request. */
  readonly onRequest?: (request: ReceivedS3Request) => Effect.Effect<void>
  /** Port to listen on; a free one when absent. */
  readonly port?: number
}

/** A running server. */
export interface S3Server extends S3Endpoint {
  /** Makes a bucket without a request. */
  readonly createBucket: (name: string) => Effect.Effect<void>
  /** Every request, in the order of arrival, refused ones included. */
  readonly requests: ReadonlyArray<ReceivedS3Request>
  /** The faults still to come; add to them at any time. */
  readonly faults: S3FaultPlan
}

/** The server together with what ends it, for those that have no scope. */
export interface StartedS3Server extends S3Server {
  readonly stop: () => Promise<void>
}

/** A client may use a connection again after so long; one that is closed just as it does breaks off, as if by a fault. */
const keepAliveMs = 120_000

/** Starts a server; `S3Server.make` does so for a scope. */
export const startS3Server = async (options: S3ServerOptions = {}): Promise<StartedS3Server> => {
  const { accessKeyId = "test", region = "us-east-1", secretAccessKey = "testsecret" } = options
  const keys = { accessKeyId, region, secretAccessKey }
  const store = new ObjectStore()
  const requests: Array<ReceivedS3Request> = []
  const faults = new S3FaultPlan(options.seed ?? 1, options.faults)
  const closing = new AbortController()

  const answer = (target: S3Target, operation: S3Operation | undefined, raw: Buffer): S3Answer =>
    answered(() => {
      const signing = verifySignature(target, keys, new Date())
      if (operation === undefined) throw new S3Error("NotImplemented", "This server does not have that operation.")
      checkAllowed(operation, target)
      return handlers[operation](
        { ...asKept(target, options.writeConditions ?? "kept"), ...verifyPayload(target, raw, signing) },
        store
      )
    })

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = targetOf(request)
    const operation = operationOf(target)
    const fault = faults.take(operation, target.key)
    const { bucket, key, method } = target
    const received = { method, operation, bucket, key, fault: fault?._tag ?? null }
    requests.push(received)
    if (options.onRequest !== undefined) await Effect.runPromise(options.onRequest(received))
    if (fault?._tag === "Reset") return reset(request)
    const raw = await bodyOf(request)
    await play(fault, () => answer(target, operation, raw), response, closing.signal)
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // A client that has left gets no answer, and a request cut off in its body has no effect.
      if (request.destroyed && !request.complete) return
      sendAnswer(
        answered(() => raise(error)),
        response
      )
    })
  })
  server.keepAliveTimeout = keepAliveMs
  const port = await listen(server, options.port ?? 0)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region,
    accessKeyId,
    secretAccessKey: Redacted.make(secretAccessKey),
    label: "the testkit's own server",
    createBucket: (name) => Effect.sync(() => store.create(name)),
    requests,
    faults,
    stop: () =>
      new Promise((resolve) => {
        closing.abort()
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

/**
 * Starts a strict S3 server on loopback for as long as the scope lasts, with nothing in it. It verifies signatures, hashes and
 * checksums, keeps what AWS documents about conditions and multipart uploads, and refuses what it does not have (501) instead
 * of passing over it. Addresses are path-style.
 */
const make = (options: S3ServerOptions = {}): Effect.Effect<S3Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => startS3Server(options)),
    ({ stop }) => Effect.promise(stop)
  )

/**
 * A strict S3 server with faults: `S3Server.make` starts one for the scope. It keeps objects in memory.
 *
 * @example
 * ```ts
 * import { S3Server } from "@sluice/testkit/s3"
 * import { Effect } from "effect"
 *
 * const requests = Effect.gen(function* () {
 *   const server = yield* S3Server.make()
 *   yield* server.createBucket("pages")
 *   server.faults.add({ operation: "CompleteMultipartUpload", nth: [1], fault: { _tag: "Lost" } })
 *   // ... write with a sink
 *   return server.requests
 * }).pipe(Effect.scoped)
 * ```
 */
export const S3Server = { make }

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      if (typeof address === "object" && address !== null) resolve(address.port)
      else reject(new Error("no port"))
    })
  })

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const raise = (error: unknown): never => {
  throw error
}

/** What was thrown, as an answer. */
const answered = (handle: () => S3Answer): S3Answer => {
  try {
    return handle()
  } catch (error) {
    return error instanceof S3Error ? error.answer : errorAnswer(500, "InternalError", String(error))
  }
}

const reset = (message: IncomingMessage | ServerResponse): void => {
  message.socket?.resetAndDestroy()
}

const play = async (
  fault: Exclude<S3Fault, { readonly _tag: "Reset" }> | undefined,
  handle: () => S3Answer,
  response: ServerResponse,
  closing: AbortSignal
): Promise<void> => {
  switch (fault?._tag) {
    case undefined:
      return sendAnswer(handle(), response)
    case "Status": {
      const { code = usualCode(fault.status), retryAfter, status } = fault
      const { body, headers } = errorAnswer(status, code, "A fault of the test.")
      const later = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }
      return sendAnswer({ status, body, headers: { ...headers, ...later } }, response)
    }
    case "ErrorInside":
      return sendAnswer({ ...errorAnswer(200, fault.code ?? "InternalError", "A fault of the test.") }, response)
    case "Lost":
      handle()
      return reset(response)
    case "Truncated":
      return sendAnswer(handle(), response, "half")
    case "Stalled":
      return sendAnswer(handle(), response, "none")
    case "Slow": {
      const answer = handle()
      await setTimeout(fault.millis, undefined, { signal: closing }).catch(() => {})
      return sendAnswer(answer, response)
    }
  }
}
