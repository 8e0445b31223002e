import { DateTime, Effect } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { errorAnswer } from "./answers.ts"
import type { Behaviour, Oversize, RefusalName } from "./Behaviour.ts"
import { isObject, type Json } from "./bodies.ts"
import { misbehaved } from "./MisbehaviourPlan.ts"

const listPath = /^\/v1\/(crawl|batch|extract|map)\/jobs$/
const jobPath = /^\/v1\/(?:crawl|batch)\/(?!jobs$)[^/]+$/

/** Answers a request as an API of the given behaviour does. */
export const behaved = <E, R>(
  behaviour: Behaviour,
  handler: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const url = new URL(request.url, "http://simulator")
    const rules = (behaviour.rules ?? []).filter(
      (rule) => rule.method === request.method && rule.path.test(url.pathname)
    )
    const [instead] = rules.flatMap((rule) => (rule.instead === undefined ? [] : [rule.instead]))
    if (instead !== undefined) return HttpServerResponse.jsonUnsafe(instead.body, { status: instead.status })
    const size = sizeOf(behaviour, url)
    if (size.sent !== undefined) url.searchParams.set("page_size", `${size.sent}`)
    const asked = request.modify({ url: `${url.pathname}${url.search}` })
    const answer = yield* handler.pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, asked),
      Effect.provideService(HttpServerRequest.ParsedSearchParams, Object.fromEntries(url.searchParams))
    )
    const sent = yield* answerOf(behaviour, request.method, url, misbehaved(answer, rules), size.told)
    return HttpServerResponse.setHeaders(sent, behaviour.headers ?? {})
  })

/** The page size the handler is asked for, and the one it is said to have. */
const sizeOf = ({ oversizeLists, oversizeResults, pageSizes }: Behaviour, { pathname, searchParams }: URL) => {
  const kind = listPath.exec(pathname)?.[1]
  const asked = searchParams.get("page_size")
  if (kind !== undefined && asked === null) return { sent: pageSizes?.[kind], told: undefined }
  if (kind !== undefined) return lowered(oversizeLists, Number(asked), 100)
  return jobPath.test(pathname) && asked !== null
    ? lowered(oversizeResults, Number(asked), 50)
    : { sent: undefined, told: undefined }
}

const lowered = (oversize: Oversize | undefined, asked: number, most: number) =>
  asked <= most || oversize === undefined || oversize === "refused"
    ? { sent: undefined, told: undefined }
    : { sent: most, told: oversize === "accepted" ? asked : undefined }

const answerOf = Effect.fnUntraced(function* (
  behaviour: Behaviour,
  method: string,
  { pathname, searchParams }: URL,
  answer: HttpServerResponse.HttpServerResponse,
  toldSize: number | undefined
) {
  const name = refusalName(method, pathname, answer.status)
  const refusal = name === undefined ? undefined : behaviour.refusals?.[name]
  const now = yield* DateTime.now
  if (refusal !== undefined) return errorAnswer({ _tag: "Status", ...refusal }, now)
  const isList = listPath.test(pathname)
  if (answer.status !== 200 || (!isList && !jobPath.test(pathname)) || answer.body._tag !== "Uint8Array") return answer
  const body: Json = JSON.parse(Buffer.from(answer.body.body).toString())
  if (!isObject(body)) return answer
  const rows = isList ? body.jobs : body.results
  const isEmpty = Array.isArray(rows) && rows.length === 0
  const isRefused = isList ? behaviour.refusesPastList : behaviour.refusesPastResults
  if (isRefused === true && isEmpty && Number(searchParams.get("page") ?? 1) > 1) {
    return errorAnswer({ _tag: "Status", status: 422, body: "validation" }, now)
  }
  if (!isList) return answer
  return HttpServerResponse.jsonUnsafe({
    ...body,
    ...(toldSize === undefined ? {} : { page_size: toldSize }),
    ...(isEmpty && behaviour.emptyPageCount !== undefined ? { page_count: behaviour.emptyPageCount } : {})
  })
})

const malformedId = /^\/v1\/(?:crawl|batch)\/(?!jobs$)(?![0-9a-f-]{36}$)[^/]+$/

const refusalName = (method: string, path: string, status: number): RefusalName | undefined => {
  if (status === 401) return "wrong key"
  if (status === 404 && method === "GET") return "unknown job"
  if (status === 409 && method === "DELETE") return "cancellation"
  if (status !== 422) return undefined
  if (method === "POST") return "empty request"
  return malformedId.test(path) ? "malformed id" : undefined
}
