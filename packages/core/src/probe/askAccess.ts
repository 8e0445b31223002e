import { Effect } from "effect"
import { isMembers } from "../api/answerFrame.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { looseInteger } from "../record/looseValues.ts"
import type { ApiRequest } from "./ApiAnswer.ts"
import { errorShape, inShort } from "./errorShape.ts"
import type { ProbeLogError } from "./ProbeLog.ts"
import { allotments } from "./ProbeOptions.ts"
import type { Session } from "./Session.ts"
import { submitOnce } from "./submitOnce.ts"
import { cancelJob } from "./watchJob.ts"

const step = "access"
const list: ApiRequest = { method: "GET", path: "/v1/crawl/jobs", query: { page_size: 1 } }
/** An id that no job has. */
const noJob = "00000000-0000-4000-8000-000000000000"

/** Asks how the key is sent and how requests are refused. The first request says whether there is an API at all. */
export const askAccess = Effect.fn("Probe.askAccess")(function* (
  session: Session
): Effect.fn.Return<void, ScraperError | ProbeLogError> {
  const { answers, client } = session
  yield* client.read(step, list)
  const accepted: Array<string> = []
  for (const auth of ["x-api-key", "bearer"] as const) {
    const { status } = yield* client.ask(step, { ...list, auth })
    if (status < 300) accepted.push(auth)
  }
  answers.see("auth.accepted", accepted, `GET ${list.path} with each`)
  const asks = [
    ["errors.wrong_key", { ...list, auth: "wrong" }],
    ["errors.unknown_job", { method: "GET", path: `/v1/crawl/${noJob}` }],
    ["errors.malformed_id", { method: "GET", path: "/v1/crawl/no-such-job" }]
  ] as const
  for (const [id, request] of asks) {
    const shape = errorShape(yield* client.ask(step, request))
    answers.see(id, shape, `${request.method} ${request.path}: ${inShort(shape)}`)
  }
  const usage = yield* client.ask(step, { method: "GET", path: "/v1/usage" })
  if (usage.status < 300 && isMembers(usage.body)) {
    const names = Object.keys(usage.body).filter((name) => /^\w{1,64}$/.test(name))
    answers.see("usage.members", names.slice(0, 50).sort(), "GET /v1/usage")
  } else answers.leaveOpen(`GET /v1/usage: ${inShort(errorShape(usage))}`, "usage.members")
})

/** Asks how a request is refused that asks for nothing, and whether the refusal costs. */
export const askRefusal = Effect.fn("Probe.askRefusal")(function* (
  session: Session
): Effect.fn.Return<void, ScraperError | ProbeLogError> {
  const { answers, open } = session
  const before = yield* tokensUsed(session)
  answers.see("statistics.offered", before !== undefined, "GET /v1/statistics")
  const name = "refused request"
  const refused = yield* submitOnce(session, { step: name, kind: "crawl", allotted: allotments[name], body: {} })
  if (refused._tag === "Unasked") {
    return answers.leaveOpen(refused.why, "errors.empty_request", "errors.empty_request_tokens")
  }
  const shape = errorShape(refused)
  answers.see("errors.empty_request", shape, `POST /v1/crawl with no member: ${inShort(shape)}`)
  const job = open.get(name)
  if (job !== undefined) yield* cancelJob(session, name, job)
  const after = before === undefined || refused.resumed ? undefined : yield* tokensUsed(session)
  if (before === undefined || after === undefined) {
    answers.leaveOpen("the API offers no statistics to see it by", "errors.empty_request_tokens")
  } else answers.conclude("errors.empty_request_tokens", after - before, "by GET /v1/statistics before and after")
})

/** The tokens of the account, as far as its statistics tell. */
const tokensUsed = Effect.fnUntraced(function* ({ client }: Session) {
  const { body, status } = yield* client.ask(step, { method: "GET", path: "/v1/statistics" })
  const told = status < 300 && isMembers(body) ? looseInteger(body.period_tokens_used, false) : null
  return typeof told === "number" ? told : undefined
})
