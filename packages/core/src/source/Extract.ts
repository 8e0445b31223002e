import { randomUUID } from "node:crypto"
import { type ExtractJob, ExtractRequest, isTerminal, JobId, type JobStatus } from "@sluice/contract"
import { Clock, Duration, Effect, Option, Schema, Stream } from "effect"
import { type AsCame, type ExtractAnswer, Scraper } from "../api/Scraper.ts"
import type { ScraperError } from "../api/ScraperError.ts"
import { type JsonObject, type PageRecord, pageKey } from "../record/PageRecord.ts"
import { eachSettled } from "./eachSettled.ts"
import { type EndedExtraction, extractedRecord } from "./extractedRecord.ts"
import { type ReaderOptions, readerDefaults } from "./JobReader.ts"
import { CurrentJournal } from "./Journal.ts"
import { type ApiFailed, DeadlinePassed, LedgerFailed, SourceError, type Vanished } from "./SourceError.ts"
import { Formats, PageUrl } from "./sourceOptions.ts"
import { submitJob } from "./submitJob.ts"
import { untilKnown } from "./untilKnown.ts"

const { processing_mode: _mode, url: _url, ...shared } = ExtractRequest.fields

/**
 * What extractions are asked besides their URLs. `mode` is `async` when absent: a job can be found again if this process
 * dies, while the answer of a `sync` call is lost with it. `concurrency` is how many URLs are in work at once.
 */
export const extractFields = {
  ...shared,
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

/** Extracting URLs one by one: `Extract.make` for a pipeline, `Extract.records` for a plain stream. */
export const Extract = { make, records }

/** @internal `firstOrdinal` is the submission number of the first URL. */
export const stream = (
  options: ExtractOptions,
  reader: ReaderOptions,
  firstOrdinal = 0
): Stream.Stream<PageRecord, SourceError, Scraper> => {
  const { concurrency, mode, urls, ...request } = options
  const counts = new Map<string, number>()
  return Stream.fromIterable(urls.entries()).pipe(
    Stream.map(([inputIndex, url]) => {
      const occurrence = counts.get(url) ?? 0
      counts.set(url, occurrence + 1)
      return { inputIndex, url, key: pageKey(url, occurrence), ordinal: firstOrdinal + inputIndex }
    }),
    eachSettled(concurrency, (page) => {
      const body = { ...request, url: page.url }
      return mode === "sync" ? extractNow(body, page) : extractByJob(body, page, reader)
    })
  )
}

interface Page extends Pick<PageRecord, "key" | "url"> {
  readonly inputIndex: number
  readonly ordinal: number
}

const extractByJob = Effect.fnUntraced(function* (request: ExtractRequest, page: Page, options: ReaderOptions) {
  const scraper = yield* Scraper
  const jobId = yield* submitJob(
    { ordinal: page.ordinal, kind: "extract", url: page.url, tokens: 1, body: () => request, whenLost: "find" },
    scraper.createExtraction
  )
  if (jobId === undefined) return []
  if (yield* isCommitted(jobId, page)) return []
  const job = yield* Effect.mapError(awaitEnd(jobId, options).pipe(Effect.catchTag("Vanished", giveUp)), failure)
  return job === undefined ? [] : [yield* deliver(page, job, job.raw)]
})

/** A job that is gone leaves its page out, and the others be. */
const giveUp = (vanished: Vanished) =>
  Effect.flatMap(CurrentJournal, (journal) => Effect.as(journal.unreconciled(vanished), undefined))

/** Polls an extraction until it ends: soon at first, less and less often later. */
const awaitEnd = Effect.fnUntraced(function* (
  jobId: JobId,
  options: ReaderOptions
): Effect.fn.Return<AsCame<ExtractJob>, ApiFailed | Vanished | DeadlinePassed, Scraper> {
  const scraper = yield* Scraper
  const startedAt = yield* Clock.currentTimeMillis
  const deadline = Duration.toMillis(options.deadline)
  const longest = Duration.toMillis(options.pollMax)
  let pause = Duration.toMillis(options.pollMin)
  while (true) {
    const job = yield* untilKnown(scraper.extraction(jobId), jobId, options)
    if (isTerminal(job.status)) return job
    const now = yield* Clock.currentTimeMillis
    if (now - startedAt > deadline) return yield* new DeadlinePassed({ jobId, afterMs: deadline })
    yield* Effect.sleep(pause)
    pause = Math.min(longest, pause * 1.5)
  }
})

/** Asks for the page itself. A refusal that is about the page, not about us, is a failed page. */
const extractNow = Effect.fnUntraced(function* (request: ExtractRequest, page: Page) {
  const scraper = yield* Scraper
  let answer: Answered | undefined
  const ask = scraper.extractNow(request).pipe(
    Effect.map(succeeded),
    Effect.catch((error) => Effect.mapError(Effect.fromOption(failed(error)), () => error)),
    Effect.tap((given) =>
      Effect.sync(() => {
        answer = given
      })
    )
  )
  const jobId = yield* submitJob(
    { ordinal: page.ordinal, kind: "extract", url: page.url, tokens: 1, body: () => request, whenLost: "give up" },
    () => Effect.as(ask, { jobId: JobId.make(`sync-${randomUUID()}`) })
  ).pipe(
    // Asking again could pay again: the page is given up, and says so.
    Effect.catchIf(isAnswerLost, () => {
      answer = answerLost
      return Effect.succeed(JobId.make(`sync-${randomUUID()}`))
    })
  )
  if (jobId === undefined) return []
  if (yield* isCommitted(jobId, page)) return []
  // Known from an earlier attempt, whose answer went with it.
  const { job, raw } = answer ?? answerLost
  return [yield* deliver(page, { job_id: jobId, ...job }, raw)]
})

const isAnswerLost = ({ reason }: SourceError): boolean => reason._tag === "AnswerLost"

/** How a synchronous extraction ended, and the same as a vault keeps it: as the answer of a job would be. */
interface Answered {
  readonly job: Omit<EndedExtraction, "job_id">
  readonly raw: Schema.Json
}

const failedPage = (error: { readonly code: string; readonly message: string }, tokens: number | null): Answered => {
  const job = { status: "failed", data: null, metadata: null, error, tokens_charged: tokens } as const
  return { job, raw: job }
}

/** What a page becomes whose answer was lost after it may have been paid for. */
const answerLost = failedPage(
  { code: "ANSWER_LOST", message: "The answer was lost, and asking again could pay again" },
  null
)

const succeeded = ({ data, metadata, raw, tokensCharged }: ExtractAnswer): Answered => ({
  job: { status: "completed", data, metadata, error: null, tokens_charged: tokensCharged },
  raw: { ...(raw as JsonObject), status: "completed", error: null }
})

/** A synchronous extraction that failed is refused with the page's own code, ours being `VALIDATION_ERROR`. */
const failed = ({ reason }: ScraperError): Option.Option<Answered> => {
  if (reason._tag !== "InvalidRequest" || reason.status !== 422) return Option.none()
  const { code, detail: message } = reason
  return code === undefined || code === "VALIDATION_ERROR"
    ? Option.none()
    : Option.some(failedPage({ code, message }, 0))
}

const isCommitted = Effect.fnUntraced(function* (jobId: string, page: Page) {
  const journal = yield* CurrentJournal
  const keys = yield* journal.committed(jobId).pipe(Effect.mapError((error) => failure(new LedgerFailed({ error }))))
  return keys.has(page.key)
})

/** Tells the journal the job's end and makes its record. */
const deliver = Effect.fnUntraced(function* (page: Page, job: EndedExtraction, raw: Schema.Json) {
  const journal = yield* CurrentJournal
  const count = (status: JobStatus) => (job.status === status ? 1 : 0)
  yield* journal.progress({
    jobId: job.job_id,
    kind: "extract",
    url: page.url,
    status: job.status,
    discovered: 1,
    completed: count("completed"),
    failed: count("failed"),
    cancelled: count("cancelled"),
    tokensCharged: job.tokens_charged ?? 0,
    tokensReserved: 0,
    observedAt: yield* Clock.currentTimeMillis
  })
  const record = extractedRecord({ ...page, jobId: job.job_id }, job)
  return journal.keepsAnswers === true ? { ...record, answer: raw } : record
})

const failure = (reason: SourceError["reason"]) => new SourceError({ source: "extract", reason })
