import { type BatchRequest, JobId } from "@sluice/contract"
import { Effect } from "effect"
import type { RefusedUrl } from "../api/refusedUrls.ts"
import { Scraper } from "../api/Scraper.ts"
import type { InvalidRequest, ScraperError } from "../api/ScraperError.ts"
import { isRefusedId, refusedJobId } from "./ownJobId.ts"
import type { RefusalCount } from "./RefusalCount.ts"
import { type RefusedPage, refusalIn, refusedBefore, refusedPage } from "./refusedPages.ts"
import type { SourceError } from "./SourceError.ts"
import { submitJob } from "./submitJob.ts"

/** URLs of a batch that the API refused, by their places in it, under a job id of ours. */
export interface RefusedPart {
  readonly jobId: JobId
  readonly pages: ReadonlyMap<number, RefusedPage>
}

/** What became of a batch that was asked for. */
export interface SubmittedBatch {
  /** None where everything was refused, or nothing more may be asked for. */
  readonly job?: {
    readonly jobId: JobId
    /** For each place of the job, the place in the request. */
    readonly places: ReadonlyArray<number>
    /** What this attempt was told: how many URLs it has sent, and which of them were not taken on. */
    readonly sent?: { readonly urls: number; readonly invalid: ReadonlyArray<RefusedUrl> }
  }
  readonly refused: ReadonlyArray<RefusedPart>
}

/** How often a batch is made again without URLs it was refused for. After that the rest counts as refused too. */
const mostRounds = 5
/** Each round is a submission of its own: ordinals of rounds lie so far apart. */
const roundStride = 100_000_000

/**
 * Asks for a batch. Where the API refuses it for some of its URLs, these are failed pages and it is asked for without them; where it
 * refuses the whole, all of them are. What was refused is recorded as the submission's job, with the places: the next attempt does
 * not ask again.
 */
export const submitBatch = Effect.fnUntraced(function* (
  request: BatchRequest,
  ordinal: number,
  refusals: RefusalCount
): Effect.fn.Return<SubmittedBatch, SourceError, Scraper> {
  const scraper = yield* Scraper
  const refused: Array<RefusedPart> = []
  let places = request.urls.map((_, place) => place)
  for (let round = 0; places.length > 0; round++) {
    let answer: BatchRejection | undefined
    let sent: { readonly urls: number; readonly invalid: ReadonlyArray<RefusedUrl> } | undefined
    const asked = { ...request, urls: places.map((place) => request.urls[place]!) }
    const jobId = yield* submitJob(
      {
        ordinal: ordinal + round * roundStride,
        kind: "batch",
        url: asked.urls[0]!,
        tokens: asked.urls.length,
        body: (granted) => ({ ...asked, urls: asked.urls.slice(0, granted) }),
        whenLost: "find"
      },
      (body) =>
        scraper.createBatch(body).pipe(
          Effect.map(({ invalidUrls, jobId }) => {
            sent = { urls: body.urls.length, invalid: invalidUrls }
            return { jobId }
          }),
          Effect.catchIf(
            (error) => refusalIn(error) !== undefined,
            (error) => {
              answer = batchRejection(error, body.urls.length, round < mostRounds)
              return Effect.succeed({ jobId: idOf(answer) })
            }
          )
        )
    )
    if (jobId === undefined) return { refused }
    if (!isRefusedId(jobId)) return { job: { jobId, places, ...(sent === undefined ? {} : { sent }) }, refused }
    const at = placesIn(jobId) ?? places.map((_, index) => index)
    const pages = new Map<number, RefusedPage>()
    for (const index of at) {
      const place = places[index]
      if (place === undefined) continue
      pages.set(place, answer?.pages.get(index) ?? answer?.all ?? refusedBefore)
      if (answer !== undefined) yield* refusals.refused(answer.error, request.urls[place]!)
      else refusals.refusedEarlier()
    }
    refused.push({ jobId, pages })
    places = places.filter((place) => !pages.has(place))
  }
  return { refused }
})

interface BatchRejection {
  readonly error: ScraperError
  /** Why each of the URLs was refused that the API names, by its place in what was sent. Empty where it names none. */
  readonly pages: ReadonlyMap<number, RefusedPage>
  /** Why the whole was. */
  readonly all: RefusedPage
}

const batchRejection = (error: ScraperError, urls: number, mayRepeat: boolean): BatchRejection => {
  const refusal = refusalIn(error)!
  const named = mayRepeat ? namedUrls(refusal, urls) : new Map<number, RefusedPage>()
  return { error, pages: named, all: refusedPage(refusal) }
}

/** A field such as `urls.3`, or one within it. */
const urlField = /^urls\.(\d+)(?:\.|$)/

const namedUrls = ({ code = "VALIDATION_ERROR", fields }: InvalidRequest, urls: number): Map<number, RefusedPage> => {
  const named = new Map<number, RefusedPage>()
  for (const { message, path } of fields) {
    const place = urlField.exec(path)?.[1]
    if (place !== undefined && Number(place) < urls) {
      named.set(Number(place), { error_code: code, error_message: message })
    }
  }
  return named
}

/** A job id that says which places were refused; all where it names none. */
const idOf = ({ pages }: BatchRejection): JobId => JobId.make([refusedJobId(), ...pages.keys()].join("."))

const placesIn = (jobId: JobId): ReadonlyArray<number> | undefined => {
  const [, ...places] = jobId.split(".")
  return places.length === 0 ? undefined : places.map(Number)
}
