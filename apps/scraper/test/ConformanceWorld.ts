import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { ScraperConfig, ScraperStartError } from "../src/index.ts"
import type { Operation } from "./OpenApiDocument.ts"
import { keys, raw, stateDirectory, testServer } from "./TestScraper.ts"
import { gate, page, testSite } from "./TestSite.ts"

export type Answer = Effect.Success<ReturnType<typeof raw>>

/** Asks a server, with its first key unless other headers are given. */
export type Ask = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>
) => Effect.Effect<Answer>

const asker =
  (baseUrl: string): Ask =>
  (method, path, body, headers = { "x-api-key": keys[0] }) =>
    raw(`${baseUrl}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })

/** A server with other settings. */
const serverWith = (config: Partial<ScraperConfig>) => Effect.map(testServer(config), asker)

/** A site and a server. The path `/slow` of the site never answers. */
export const world = Effect.gen(function* () {
  const slow = gate(page("slow"))
  const site = yield* testSite({ "/": page("home", "/a"), "/a": page("a"), "/slow": slow.route })
  return { site, ask: yield* serverWith({}) }
})
export type World = Effect.Success<typeof world>

/** An id that nothing has. */
export const unknownId = "9d7b2c8e-8a4b-4c10-9af3-65f4f8f6c019"

/** The path of an operation about the given id. */
export const pathOf = ({ path }: Operation, id: string) => path.replace(/\{\w+\}/, id)

/** Whether an operation is about something that has to be there. */
export const hasId = ({ path }: Operation) => path.includes("{")

/** A body that an operation takes. */
export const bodyOf = (operation: Operation, { site }: World): Readonly<Record<string, unknown>> | undefined => {
  switch (operation.id) {
    case "createBatch":
      return { urls: [site.url("/"), site.url("/a")] }
    case "search":
      return { query: "anything" }
    case "createWebhook":
      return { url: "https://a.example/hook", event_type: "crawl_completed" }
    case "updateWebhook":
      return { description: "another" }
    default:
      return operation.request === undefined ? undefined : { url: site.url("/") }
  }
}

const member = (name: string) => (answer: Answer) => String(Object(answer.body)[name])

/** Makes what an operation is about; answers its id. Batches and crawls stay open. */
export const make = ({ path }: Operation, { ask, site }: World): Effect.Effect<string> => {
  switch (path.split("/")[2]) {
    case "extract":
      return Effect.map(ask("POST", "/v1/extract", { url: site.url("/"), processing_mode: "async" }), member("job_id"))
    case "batch":
      return Effect.map(ask("POST", "/v1/batch", { urls: [site.url("/slow"), "nothing"] }), member("job_id"))
    case "crawl":
      return Effect.map(ask("POST", "/v1/crawl", { url: site.url("/slow") }), member("job_id"))
    case "map":
      return ask("POST", "/v1/map", { url: site.url("/") }).pipe(
        Effect.andThen(ask("GET", "/v1/map/jobs")),
        Effect.map(({ body }) => String(Object(body).jobs[0].job_id))
      )
    case "webhooks":
      return Effect.map(
        ask("POST", "/v1/webhooks", { url: "https://a.example/", event_type: "crawl_completed" }),
        member("id")
      )
    default:
      return Effect.succeed(unknownId)
  }
}

/** How an answer is brought about. */
export type Way = (operation: Operation, on: World) => Effect.Effect<Answer, ScraperStartError, Scope.Scope>

/** Asks as the document says, about something that is there, with members of the body replaced. */
export const asDocumented =
  (changes: Readonly<Record<string, unknown>> = {}): Way =>
  (operation, on) =>
    Effect.gen(function* () {
      const id = hasId(operation) ? yield* make(operation, on) : ""
      const body = bodyOf(operation, on)
      return yield* on.ask(
        operation.method,
        pathOf(operation, id),
        body === undefined ? undefined : { ...body, ...changes },
        operation.needsKey ? undefined : {}
      )
    })

/** The same of a server with other settings. */
export const limitedTo =
  (config: Partial<ScraperConfig>, path = "/"): Way =>
  (operation, on) =>
    Effect.gen(function* () {
      const ask = yield* serverWith(config)
      const body = bodyOf(operation, on)
      const url = path === "/" ? {} : { url: on.site.url(path) }
      return yield* ask(
        operation.method,
        pathOf(operation, unknownId),
        body === undefined ? undefined : { ...body, ...url }
      )
    })

/** Asks once more often than a key may. */
export const tooOften: Way = (operation, on) =>
  Effect.gen(function* () {
    const ask = yield* serverWith({ requestsPerMinute: 1 })
    yield* ask("GET", "/v1/usage")
    return yield* ask(operation.method, pathOf(operation, unknownId), bodyOf(operation, on))
  })

/** Asks a server whose state is gone: where it was is nothing that can be written to. */
export const withoutState: Way = ({ method, path }) =>
  Effect.gen(function* () {
    const stateDir = join(yield* stateDirectory, "state")
    const ask = yield* serverWith({ stateDir })
    rmSync(stateDir, { recursive: true })
    writeFileSync(stateDir, "")
    return yield* ask(method, path)
  })
