import { Effect } from "effect"
import { isMembers } from "../api/answerFrame.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { looseBoolean, looseInteger } from "../record/looseValues.ts"
import { jobRows } from "./jobRows.ts"
import type { ProbeLogError } from "./ProbeLog.ts"
import { allotments } from "./ProbeOptions.ts"
import type { Session } from "./Session.ts"
import { isSameAddress, submitOnce } from "./submitOnce.ts"

const step = "map"

/** Maps the site, and looks for what that was charged. */
export const askMap = Effect.fn("Probe.askMap")(function* (
  session: Session
): Effect.fn.Return<void, ScraperError | ProbeLogError> {
  const { answers, open, options } = session
  const sent = yield* submitOnce(session, {
    step,
    kind: "map",
    allotted: allotments[step],
    body: { url: options.target }
  })
  open.delete(step)
  const ids = ["map.answer", "map.metadata", "map.listed", "map.tokens"] as const
  if (sent._tag === "Unasked") return answers.leaveOpen(sent.why, ...ids)
  if (sent.status >= 300) return answers.leaveOpen(`it was refused: HTTP ${sent.status}`, ...ids)
  if (sent.adopted)
    answers.leaveOpen("its answer was lost, and its job found in the list", "map.answer", "map.metadata")
  else {
    const { links, metadata, success, warning } = sent.body
    const count = Array.isArray(links) ? links.length : 0
    const failed = looseBoolean(success) === false
    const answer = failed ? "failure" : typeof warning === "string" ? "warning" : count > 0 ? "links" : "nothing"
    answers.see(
      "map.answer",
      answer,
      `success ${!failed}, ${count} links, ${typeof warning === "string" ? "a" : "no"} warning`
    )
    answers.see("map.metadata", isMembers(metadata), "members of the answer")
  }
  yield* askPrice(session, sent.jobId)
})

/** The newest map of the page in the list, within the reads that a lagging list takes. */
const mapJob = Effect.fnUntraced(function* (session: Session) {
  const { lagPause, lagReads, target } = session.options
  for (let reads = 0; reads < lagReads; reads++) {
    const answer = yield* session.client.ask(step, {
      method: "GET",
      path: "/v1/map/jobs",
      query: { page: 1, page_size: 100 }
    })
    if (answer.status >= 300) return undefined
    const found = jobRows(answer).find(({ url }) => url !== null && isSameAddress(url, target))
    if (found !== undefined) return found.jobId
    yield* Effect.sleep(lagPause)
  }
  return undefined
})

const askPrice = Effect.fnUntraced(function* (session: Session, told: string | null) {
  const { answers, client, spend } = session
  const jobId = told ?? (yield* mapJob(session))
  answers.see("map.listed", jobId !== undefined, "GET /v1/map/jobs")
  if (jobId === undefined) return answers.leaveOpen("no job of it is listed", "map.tokens")
  const { body, status } = yield* client.ask(step, { method: "GET", path: `/v1/map/${encodeURIComponent(jobId)}` })
  const tokens = status < 300 && isMembers(body) ? looseInteger(body.tokens_charged, false) : null
  if (typeof tokens !== "number") return answers.leaveOpen("its job has no tokens_charged", "map.tokens")
  spend.charge(step, tokens)
  answers.see("map.tokens", tokens, "tokens_charged of its job")
})
