import type { OutputFormat } from "@sluice/contract"
import { Context, Effect, Layer, Pool } from "effect"
import type { LoadedPage } from "../fetching/Fetcher.ts"
import { finalFailure, PageFailure, transientFailure } from "../net/PageFailure.ts"
import { ScraperStartError, ServerSettings } from "../ScraperConfig.ts"
import { conversionThread, isThreadProgramThere } from "./ConversionThread.ts"
import type { MarkdownExtent } from "./Markdown.ts"
import { type ConversionRequest, contentOf, isForThread, type PageContent } from "./PageContent.ts"

/**
 * Converts pages: small ones at once, larger ones in threads of their own, so that requests are answered meanwhile. There are so
 * many threads and no more, started when they are needed; a page that takes one too long, or too much memory, fails and the
 * thread is replaced.
 */
export class Converter extends Context.Service<
  Converter,
  {
    readonly convert: (
      page: LoadedPage,
      formats: ReadonlyArray<OutputFormat>
    ) => Effect.Effect<PageContent, PageFailure>
  }
>()("@sluice/scraper/conversion/Converter") {
  static readonly layer: Layer.Layer<Converter, ScraperStartError, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const settings = yield* ServerSettings
      if (!isThreadProgramThere()) {
        return yield* new ScraperStartError({
          message: "The program that converts pages, conversionWorker, is not beside the server's own",
          cause: null
        })
      }
      const threads = yield* Pool.makeWithTTL({
        acquire: conversionThread({
          heapMiB: settings.conversionHeapMiB,
          timeoutMs: settings.conversionTimeoutMs
        }),
        min: 0,
        max: settings.conversionThreads,
        timeToLive: settings.conversionIdleMs
      })
      let inside = 0

      const inThread = Effect.fnUntraced(function* (request: ConversionRequest) {
        const thread = yield* Pool.get(threads)
        return yield* Effect.onError(thread.convert(request), () => Pool.invalidate(threads, thread))
      }, Effect.scoped)

      return Converter.of({
        convert: Effect.fn("Converter.convert")(
          function* (page, formats) {
            const request = requestOf(page, formats, settings.markdownExtent)
            const isSmall = page.body.byteLength <= settings.inlineConversionBytes
            if (isSmall && !isForThread(page.contentType)) return yield* atOnce(request)
            if (inside >= settings.conversionThreads + settings.maxWaitingConversions) {
              return yield* transientFailure("CONVERSION_BUSY", "Too many pages wait to be converted")
            }
            inside++
            return yield* Effect.ensuring(
              inThread(request),
              Effect.sync(() => void inside--)
            )
          },
          (converting, { httpStatus }) =>
            Effect.mapError(
              converting,
              ({ code, message, retryable }) => new PageFailure({ code, message, retryable, httpStatus })
            )
        )
      })
    })
  )
}

const requestOf = (
  page: LoadedPage,
  formats: ReadonlyArray<OutputFormat>,
  extent: MarkdownExtent
): ConversionRequest => ({
  url: page.rendered?.base ?? page.url,
  contentType: page.contentType,
  body: page.body,
  scriptsHaveRun: page.rendered !== undefined,
  ...(page.rendered === undefined ? {} : { encoding: page.rendered.encoding }),
  formats,
  extent
})

/** Yields first, so requests are answered between two pages. */
const atOnce = Effect.fnUntraced(function* (request: ConversionRequest): Effect.fn.Return<PageContent, PageFailure> {
  yield* Effect.yieldNow
  return yield* Effect.try({
    try: () => contentOf(request),
    catch: (cause) => finalFailure("CONVERSION_ERROR", `The page cannot be converted: ${cause}`)
  })
})
