import { Effect } from "effect"
import type { ScraperError } from "../api/ScraperError.ts"
import type { Session } from "./Session.ts"

const noJob = "00000000-0000-4000-8000-000000000001"

/** Reads at once, to see whether the API throttles, and says what answers told about rates. Throttled reads are no failure. */
export const askRates = Effect.fn("Probe.askRates")(function* (session: Session): Effect.fn.Return<void, ScraperError> {
  const { answers, client, options } = session
  yield* Effect.forEach(
    Array.from({ length: options.burst }),
    () => Effect.ignore(client.send("rates", { method: "GET", path: `/v1/extract/${noJob}` })),
    { concurrency: options.burst, discard: true }
  )
  const { headers, retryAfter } = client.signs
  answers.see("rates.headers", [...headers].sort(), "headers of all answers")
  const [form] = [...retryAfter].sort((a, b) => Number(a === "absent") - Number(b === "absent"))
  if (form === undefined)
    answers.leaveOpen(`no answer was throttled, of ${options.burst} at once either`, "rates.retry_after")
  else answers.see("rates.retry_after", form, "answers with 429 or 503")
})
