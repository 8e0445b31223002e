import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Schema } from "effect"
import { HttpClient, HttpClientResponse, HttpRouter, HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiClient, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import * as Contract from "../src/index.ts"

const envelope = { code: "CODE", message: "why", correlation_id: "c-1", retryable: false }
const search = { error: "no_results", message: "why", details: { engine: "x" } }
const detail = [{ type: "missing", loc: ["body", "urls", 0], msg: "Field required" }]

const classes = [
  Contract.BadRequest,
  Contract.Unauthorized,
  Contract.PaymentRequired,
  Contract.NotFound,
  Contract.MapTimedOut,
  Contract.Conflict,
  Contract.Unprocessable,
  Contract.TooManyRequests,
  Contract.ServerFault,
  Contract.NotImplemented,
  Contract.ValidationFailed,
  Contract.SearchFailed,
  Contract.SearchBlocked,
  Contract.Unhealthy
] as const

/** Each class, the status it stands for, an instance, and the body that goes over the wire. */
const failures = [
  ["BadRequest", 400, new Contract.BadRequest(envelope), envelope],
  ["Unauthorized", 401, new Contract.Unauthorized(envelope), envelope],
  ["PaymentRequired", 402, new Contract.PaymentRequired(envelope), envelope],
  ["NotFound", 404, new Contract.NotFound(envelope), envelope],
  ["MapTimedOut", 408, new Contract.MapTimedOut(envelope), envelope],
  ["Conflict", 409, new Contract.Conflict(envelope), envelope],
  ["Unprocessable", 422, new Contract.Unprocessable(envelope), envelope],
  ["TooManyRequests", 429, new Contract.TooManyRequests(envelope), envelope],
  ["ServerFault", 500, new Contract.ServerFault(envelope), envelope],
  ["NotImplemented", 501, new Contract.NotImplemented(envelope), envelope],
  ["ValidationFailed", 422, new Contract.ValidationFailed({ detail }), { detail }],
  ["SearchFailed", 422, new Contract.SearchFailed(search), search],
  ["SearchBlocked", 502, new Contract.SearchBlocked(search), search],
  [
    "Unhealthy",
    503,
    new Contract.Unhealthy({
      version: "1",
      service: "scraper-api",
      timestamp: DateTime.makeUnsafe("2026-01-02T03:04:05Z"),
      status: "unavailable"
    }),
    { version: "1", service: "scraper-api", timestamp: "2026-01-02T03:04:05.000Z", status: "unavailable" }
  ],
  ["an envelope with no options", 404, new Contract.NotFound({ code: "C", message: "m" }), { code: "C", message: "m" }]
] as const

/** An API whose only call fails as its path tells, with every error of the contract declared. */
class Failing extends HttpApi.make("failing").add(
  HttpApiGroup.make("failing").add(
    HttpApiEndpoint.get("fail", "/:index", { params: { index: Schema.FiniteFromString }, error: classes })
  )
) {}

const Handlers = HttpApiBuilder.group(Failing, "failing", (handlers) =>
  handlers.handle("fail", ({ params }) => Effect.fail(failures[params.index]![2]))
)

const Routes = HttpApiBuilder.layer(Failing).pipe(Layer.provide(Handlers), Layer.provide(HttpServer.layerServices))

const server = Effect.acquireRelease(
  Effect.sync(() => HttpRouter.toWebHandler(Routes, { disableLogger: true })),
  ({ dispose }) => Effect.promise(dispose)
)

describe("every error", () => {
  for (const [index, [name, status, error, body]] of failures.entries()) {
    it.effect(`${name} goes out as ${status} with exactly its body, and comes back as its class`, () =>
      Effect.gen(function* () {
        const { handler } = yield* server
        const response = yield* Effect.promise(() => handler(new Request(`http://localhost/${index}`)))
        assert.strictEqual(response.status, status)
        assert.deepStrictEqual(yield* Effect.promise(() => response.json()), body)

        const client = yield* HttpApiClient.makeWith(Failing, {
          httpClient: HttpClient.make((request, url) =>
            Effect.map(
              Effect.promise(() => handler(new Request(url))),
              (response) => HttpClientResponse.fromWeb(request, response)
            )
          ),
          baseUrl: "http://localhost"
        })
        const failure = yield* Effect.flip(client.failing.fail({ params: { index } }))
        assert.strictEqual(failure.constructor, error.constructor)
        assert.deepStrictEqual({ ...failure }, { ...error })
      })
    )
  }

  it("is declared under its status by some call", () => {
    const statuses = new Set(
      Object.values(Contract.openApi().paths).flatMap((item) =>
        Object.values(item).flatMap((operation) => ("responses" in operation ? Object.keys(operation.responses) : []))
      )
    )
    for (const [, status] of failures) assert.include([...statuses], String(status))
  })
})
