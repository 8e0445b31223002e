import type { ServerResponse } from "node:http"
import { NodeHttpServerRequest } from "@effect/platform-node"
import { type Context, DateTime, Effect, type Layer, Stream } from "effect"
import { Headers, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { errorAnswer, htmlPage } from "./answers.ts"
import { behaved } from "./behaved.ts"
import type { Fault } from "./Faults.ts"
import { MisbehaviourPlan, misbehaved } from "./MisbehaviourPlan.ts"
import { reshaped } from "./reshaped.ts"
import { SimulatedApi } from "./SimulatedApi.ts"

/** Notes every request in the books and plays the faults that are due. */
export const FaultMiddleware: Layer.Layer<never, never, HttpRouter.HttpRouter | SimulatedApi> = HttpRouter.middleware(
  Effect.gen(function* () {
    const { charges, faults, options } = yield* SimulatedApi
    const plan = new MisbehaviourPlan(options.misbehave)
    return (handler) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const [path = ""] = request.url.split("?")
        if (path.startsWith(ownPath)) return yield* handler
        const fault = faults.take(request.method, path)
        const due = plan.take(request.method, path)
        const instead = due.find(({ rule }) => rule.instead !== undefined)
        const received = { method: request.method, url: request.url, fault: fault?._tag ?? instead?.name ?? null }
        charges.note(received)
        if (options.onRequest !== undefined) yield* options.onRequest(received)
        const { behaves, reshape } = options
        const usual = behaves === undefined ? handler : behaved(behaves, handler)
        const shaped = reshape === undefined ? usual : Effect.map(usual, (answer) => reshaped(answer, path, reshape))
        if (fault === undefined && instead?.rule.instead !== undefined) {
          const { body, status } = instead.rule.instead
          return HttpServerResponse.jsonUnsafe(body, { status })
        }
        const rules = due.map(({ rule }) => rule)
        const odd = rules.length === 0 ? shaped : Effect.map(shaped, (answer) => misbehaved(answer, rules))
        return fault === undefined ? yield* odd : yield* play(fault, odd, request)
      })
  }),
  { global: true }
)

/** Paths of the simulator itself, which no API has: they are in no books and have no faults. */
export const ownPath = "/simulator/"

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
    case "Dripping":
      return Effect.map(handler, (answer) => inPieces(answer, fault))
    case "Huge":
      return Effect.map(handler, (answer) => followedBy(answer, fault.bytes))
    case "Truncated":
      return Effect.flatMap(handler, (answer) => half(request, answer, true))
    case "Stalled":
      return Effect.flatMap(handler, (answer) => half(request, answer, false))
    case "OtherJob":
      return Effect.map(handler, ofAnotherJob)
    case "WrongTypes":
      return Effect.map(handler, withWrongTypes)
  }
}

const rawResponse = (request: Request): ServerResponse =>
  NodeHttpServerRequest.toServerResponse(request) as ServerResponse

const withBody = (answer: HttpServerResponse.HttpServerResponse, body: Stream.Stream<Uint8Array>) =>
  HttpServerResponse.stream(body, {
    status: answer.status,
    headers: Headers.remove(answer.headers, "content-length"),
    ...(answer.body._tag === "Uint8Array" ? { contentType: answer.body.contentType } : {})
  })

const inPieces = (
  answer: HttpServerResponse.HttpServerResponse,
  { millis, pieces }: Extract<Fault, { readonly _tag: "Dripping" }>
) => {
  const bytes = bytesOf(answer)
  const size = Math.max(1, Math.ceil(bytes.length / pieces))
  return withBody(
    answer,
    Stream.range(0, Math.ceil(bytes.length / size) - 1).pipe(
      Stream.mapEffect((piece) => Effect.as(Effect.sleep(millis), bytes.subarray(piece * size, (piece + 1) * size)))
    )
  )
}

/** White space, so that what is read whole is the same answer. */
const followedBy = (answer: HttpServerResponse.HttpServerResponse, bytes: number) => {
  const blank = new Uint8Array(64 * 1024).fill(0x20)
  return withBody(
    answer,
    Stream.concat(
      Stream.succeed(bytesOf(answer)),
      Stream.range(1, Math.ceil(bytes / blank.length)).pipe(
        Stream.map((piece) => blank.subarray(0, Math.min(blank.length, bytes - (piece - 1) * blank.length)))
      )
    )
  )
}

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

const ofAnotherJob = (answer: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  const body: Readonly<Record<string, unknown>> = JSON.parse(Buffer.from(bytesOf(answer)).toString())
  return HttpServerResponse.setBody(
    answer,
    HttpServerResponse.jsonUnsafe({ ...body, job_id: "00000000-0000-4000-8000-00000000000f" }).body
  )
}

const withWrongTypes = (answer: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setBody(answer, HttpServerResponse.jsonUnsafe({ job_id: 7, status: 42, results: "none" }).body)
