import { ExtractRequest, isTerminal, type JobId, type JobStatus } from "@sluice/contract"
import { Clock, Duration, Effect, Schema, Stream } from "effect"
import type { EndedAnswer } from "../api/readSubmission.ts"
import { Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { type PageRecord, pageKey } from "../record/PageRecord.ts"
import type { RequirableField } from "../record/Tally.ts"
import { eachSettled } from "./eachSettled.ts"
import { extractedAnswer, extractedRecord } from "./extractedRecord.ts"
import { type ReaderOptions, readerDefaults } from "./JobReader.ts"
import { isOwnId, isRefusedId, ownJobId, refusedJobId } from "./ownJobId.ts"
import { RefusalCount } from "./RefusalCount.ts"
import { refusalIn, refusedAnswer, refusedBefore, refusedPage } from "./refusedPages.ts"
import { DeadlinePassed, SourceError, type Vanished } from "./SourceError.ts"
import type { JobTotals, SourceKind } from "./SourceKind.ts"
import { CurrentSubmissionLog } from "./SubmissionLog.ts"
import { Formats, PageHeaders, PageProxy, PageUrl } from "./sourceOptions.ts"
import { submitJob } from "./submitJob.ts"
import { untilKnown } from "./untilKnown.ts"
import { whyFormatAbsent } from "./whyFormatAbsent.ts"

const { processing_mode: _mode, url: _url, ...shared } = ExtractRequest.fields

/**
 * What extractions are asked besides their URLs. `mode` is `async` when absent: a job can be found again if this process
 * dies, while the answer of a `sync` call is lost with it. `concurrency` is how many URLs are in work at once.
 */
export const extractFields = {
  ...shared,
  headers: Schema.optionalKey(PageHeaders),
  proxy: Schema.optionalKey(PageProxy),
  formats: Formats,
  mode: Schema.Literals(["sync", "async"]).pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed("async" as const))),
  concurrency: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 })).pipe(
    Schema.withDecodingDefaultTypeKey(Effect.succeed(4))
  )
}

/** URLs to extract, each by a call of its own. A URL named twice is extracted twice. */
export const ExtractOptions = Schema.Struct({
  urls: Schema.Array(PageUrl).check(Schema.isMinLength(1)),
  ...extractFields
}).annotate({ identifier: "ExtractOptions", description: "Extract a list of URLs, one call each." })
export type ExtractOptions = typeof ExtractOptions.Type

const decode = Schema.decodeUnknownSync(ExtractOptions, { onExcessProperty: "error" })

/** Extractions as a source of a pipeline. Throws a `SchemaError` on options that make no sense. */
const make = (options: typeof ExtractOptions.Encoded) => ({ extract: decode(options) }) as const

/** The pages of a list of URLs, in the order they end. Running the stream pays for them. */
const records = (
  options: typeof ExtractOptions.Encoded,
  reader: Partial<ReaderOptions> = {}
): Stream.Stream<PageRecord, SourceError, Scraper> =>
  Stream.suspend(() => stream(decode(options), { ...readerDefaults, ...reader }))

/**
 * Extracting URLs one by one: `Extract.make` for a pipeline, `Extract.records` for a plain stream.
 *
 * `concurrency` (4 when absent) is how many URLs are in work at once. In the mode `sync` a lost answer was paid for and cannot be
 * found again; `async` is the default. `make` throws a `SchemaError`, the stream fails with a `SourceError`.
 *
 * @example
 * ```ts
 * import { Extract } from "@sluice/core"
 * import { Stream } from "effect"
 *
 * const source = Extract.make({ urls: ["https://example.com/price"], concurrency: 8 })
 * const prices = Stream.map(Extract.records({ urls: ["https://example.com/price"] }), ({ markdown }) => markdown)
 * ```
 */
export const Extract = { make, records }

/** @internal `firstOrdinal` is the submission number of the first URL. */
export const stream = (
  options: ExtractOptions,
  reader: ReaderOptions,
  firstOrdinal = 0
): Stream.Stream<PageRecord, SourceError, Scraper> => {
  const { concurrency, mode, urls, ...request } = options
  return Stream.suspend(() => {
    const counts = new Map<string, number>()
    const refusals = new RefusalCount("extract", urls.length)
    return Stream.fromIterable(urls.entries()).pipe(
      Stream.map(([inputIndex, url]) => {
        const occurrence = counts.get(url) ?? 0
        counts.set(url, occurrence + 1)
        return { inputIndex, url, key: pageKey(url, occurrence), ordinal: firstOrdinal + inputIndex }
      }),
      eachSettled(concurrency, (page) => extractPage({ ...request, url: page.url }, page, { mode, reader, refusals })),
      Stream.concat(Stream.fromEffectDrain(refusals.judge))
    )
  })
}

interface Page extends Pick<PageRecord, "key" | "url"> {
  readonly inputIndex: number
  readonly ordinal: number
}

interface Extracting {
  readonly mode: ExtractOptions["mode"]
  readonly reader: ReaderOptions
  readonly refusals: RefusalCount
}

/** One page: asked for, and read to its end where a job was made of it. Whichever way was asked for, the answer decides. */
const extractPage = Effect.fnUntraced(function* (
  request: ExtractRequest,
  page: Page,
  { mode, reader, refusals }: Extracting
): Effect.fn.Return<ReadonlyArray<PageRecord>, SourceError, Scraper> {
  const scraper = yield* Scraper
  let answer: EndedAnswer | undefined
  const ask = (body: ExtractRequest) =>
    (mode === "sync" ? scraper.extractNow(body) : scraper.createExtraction(body)).pipe(
      Effect.map(({ ended, jobId }) => {
        answer = ended
        return { jobId: jobId ?? ownJobId() }
      }),
      Effect.catchIf(
        (error) => refusalIn(error) !== undefined,
        (error) => {
          answer = failedAnswer(refusedAnswer(refusedPage(refusalIn(error)!)))
          return Effect.as(refusals.refused(error, page.url), { jobId: refusedJobId() })
        }
      )
    )
  const jobId = yield* submitJob(
    {
      ordinal: page.ordinal,
      kind: "extract",
      url: page.url,
      tokens: 1,
      body: () => request,
      whenLost: mode === "sync" ? "give up" : "find"
    },
    ask
  ).pipe(
    // Asking again could pay again: the page is given up, and says so.
    Effect.catchIf(isAnswerLost, () => {
      answer = answerLost
      return Effect.succeed(ownJobId())
    })
  )
  if (jobId === undefined) return []
  const committed = yield* isCommitted(jobId, page)
  if (answer === undefined && isRefusedId(jobId)) refusals.refusedEarlier()
  if (isOwnId(jobId) && !committed)
    answer ??= isRefusedId(jobId) ? failedAnswer(refusedAnswer(refusedBefore)) : answerLost
  if (answer === answerLost) refusals.lost()
  if (committed) return []
  answer ??= yield* Effect.mapError(awaitEnd(jobId, reader).pipe(Effect.catchTag("Vanished", giveUp)), failure)
  return answer === undefined ? [] : [yield* deliver(page, jobId, answer)]
})

/** A job that is gone leaves its page out, and the others be. */
const giveUp = (vanished: Vanished) =>
  Effect.flatMap(CurrentSubmissionLog, (submissionLog) => Effect.as(submissionLog.unreconciled(vanished), undefined))

/** Polls an extraction until it ends: soon at first, less and less often later. */
const awaitEnd = Effect.fnUntraced(function* (
  jobId: JobId,
  options: ReaderOptions
): Effect.fn.Return<EndedAnswer, ScraperError | Vanished | DeadlinePassed, Scraper> {
  const scraper = yield* Scraper
  const startedAt = yield* Clock.currentTimeMillis
  const deadline = Duration.toMillis(options.deadline)
  const longest = Duration.toMillis(options.pollMax)
  let pause = Duration.toMillis(options.pollMin)
  while (true) {
    const job = yield* untilKnown(scraper.getExtraction(jobId), jobId, options)
    if (isTerminal(job.status)) return job
    const now = yield* Clock.currentTimeMillis
    if (now - startedAt > deadline) return yield* new DeadlinePassed({ jobId, afterMs: deadline })
    yield* Effect.sleep(pause)
    pause = Math.min(longest, pause * 1.5)
  }
})

const isAnswerLost = ({ reason }: SourceError): boolean => reason._tag === "AnswerLost"

const failedAnswer = (raw: Schema.Json): EndedAnswer => ({ status: "failed", tokensCharged: 0, raw })

/** What a page becomes whose answer was lost after it may have been paid for. */
const answerLost = failedAnswer({
  status: "failed",
  error: { code: "ANSWER_LOST", message: "The answer was lost, and asking again could pay again" }
})

const isCommitted = Effect.fnUntraced(function* (jobId: string, page: Page) {
  const submissionLog = yield* CurrentSubmissionLog
  const keys = yield* submissionLog.committed(jobId).pipe(Effect.mapError(failure))
  return keys.has(page.key)
})

/** Reports the end of the job and makes its record. */
const deliver = Effect.fnUntraced(function* (page: Page, jobId: JobId, { raw, status, tokensCharged }: EndedAnswer) {
  const submissionLog = yield* CurrentSubmissionLog
  yield* submissionLog.progress({
    ...totalsOf({ status, tokensCharged }),
    jobId,
    kind: "extract",
    url: page.url,
    discovered: 1,
    tokensReserved: 0,
    observedAt: yield* Clock.currentTimeMillis
  })
  const record = extractedRecord({ ...page, jobId }, status, raw)
  return submissionLog.keepsRawResults === true ? { ...record, answer: raw } : record
})

const failure = (reason: SourceError["reason"]) => new SourceError({ source: "extract", reason })

/** The totals of a job of one page. */
const totalsOf = ({ status, tokensCharged }: Pick<JobTotals, "status" | "tokensCharged">): JobTotals => {
  const count = (as: JobStatus) => (status === as ? 1 : 0)
  return {
    status,
    tokensCharged,
    completed: count("completed"),
    failed: count("failed"),
    cancelled: count("cancelled")
  }
}

/** @internal Why no page of extractions can have a field. */
export const whyExtractedAbsent = (
  options: Pick<ExtractOptions, "extract_links" | "formats">,
  field: RequirableField
): string | undefined =>
  field === "links" && options.extract_links !== true
    ? "the source does not set extract_links"
    : whyFormatAbsent(options, field)

/** @internal Extractions, as the engine knows them. */
export const extractKind: SourceKind<ExtractOptions> = {
  stream,
  firstPage: ({ formats, urls }) => ({ url: urls[0]!, formats, inputIndex: 0 }),
  asks: ({ urls }) => ({ known: urls.map(() => ({ kind: "extract", tokens: 1 })) }),
  pageBounds: ({ urls }) => [[urls.length, "source.extract.urls"]],
  whyAbsent: whyExtractedAbsent,
  hasContent: () => true,
  limitReached: () => undefined,
  isOnePage: true,
  recordOf: (page, raw) => extractedAnswer({ ...page, inputIndex: page.inputIndex ?? null }, raw),
  totals: (scraper, jobId) => Effect.map(scraper.getExtraction(jobId), totalsOf)
}
