import type { ServerResponse } from "node:http"
import { NodeHttpServerRequest } from "@effect/platform-node"
import { type Context, DateTime, Effect, type Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { errorAnswer, htmlPage } from "./answers.ts"
import type { Fault } from "./Faults.ts"
import { SimulatedApi } from "./SimulatedApi.ts"

/** Notes every request in the books and plays the faults that are due. */
export const FaultMiddleware: Layer.Layer<never, never, HttpRouter.HttpRouter | SimulatedApi> = HttpRouter.middleware(
  Effect.gen(function* () {
    const { charges, faults, options } = yield* SimulatedApi
    return (handler) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const [path = ""] = request.url.split("?")
        const fault = faults.take(request.method, path)
        const received = { method: request.method, url: request.url, fault: fault?._tag ?? null }
        charges.note(received)
        if (options.onRequest !== undefined) yield* options.onRequest(received)
        return fault === undefined ? yield* handler : yield* play(fault, handler, request)
      })
  }),
  { global: true }
)

type Request = Context.Service.Shape<typeof HttpServerRequest.HttpServerRequest>

const play = <E, R>(
  fault: Fault,
  handler: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  request: Request
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R> => {
  switch (fault._tag) {
    case "Status":
      return Effect.map(DateTime.now, (now) => errorAnswer(fault, now))
    case "Html":
      return Effect.succeed(htmlPage(200))
    case "Redirect":
      return Effect.succeed(HttpServerResponse.redirect(fault.location, { status: 307 }))
    case "Reset":
      return breakOff(request)
    case "Lost":
      return Effect.andThen(handler, breakOff(request))
    case "Slow":
      return Effect.tap(handler, () => Effect.interruptible(Effect.sleep(fault.millis)))
    case "Truncated":
      return Effect.flatMap(handler, (answer) => half(request, answer, true))
    case "Stalled":
      return Effect.flatMap(handler, (answer) => half(request, answer, false))
    case "WrongTypes":
      return Effect.map(handler, withWrongTypes)
  }
}

const rawResponse = (request: Request): ServerResponse =>
  NodeHttpServerRequest.toServerResponse(request) as ServerResponse

/** No answer: the server takes the request back once the connection is gone. Global middleware is not interruptible. */
const untilItLeaves = Effect.interruptible(Effect.never)

/** Resets the connection. */
const breakOff = (request: Request): Effect.Effect<never> =>
  Effect.andThen(
    Effect.sync(() => rawResponse(request).socket?.resetAndDestroy()),
    untilItLeaves
  )

const bytesOf = ({ body }: HttpServerResponse.HttpServerResponse): Uint8Array =>
  body._tag === "Uint8Array" ? body.body : new Uint8Array()

/** Announces the whole body and sends half of it; then the connection breaks, or nothing more happens. */
const half = (request: Request, answer: HttpServerResponse.HttpServerResponse, breaks: boolean): Effect.Effect<never> =>
  Effect.andThen(
    Effect.callback<void>((resume) => {
      const raw = rawResponse(request)
      const bytes = bytesOf(answer)
      raw.writeHead(answer.status, { ...answer.headers, "content-length": bytes.length })
      raw.write(bytes.subarray(0, breaks ? Math.floor(bytes.length / 2) : 0), () => {
        if (breaks) raw.socket?.destroy()
        resume(Effect.void)
      })
      if (!breaks) raw.flushHeaders()
    }),
    untilItLeaves
  )

const withWrongTypes = (answer: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setBody(answer, HttpServerResponse.jsonUnsafe({ job_id: 7, status: 42, results: "none" }).body)
