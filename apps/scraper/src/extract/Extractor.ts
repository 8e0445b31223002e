import { type ExtractRequest, OutputFormat, ProcessingMode, ProxyConfig, WaitConfig } from "@sluice/contract"
import { Context, Effect, Layer, Schema, type Scope } from "effect"
import { Converter } from "../conversion/Converter.ts"
import type { PageContent } from "../conversion/PageContent.ts"
import { Fetcher } from "../fetching/Fetcher.ts"
import type { PageFailure } from "../net/PageFailure.ts"
import { CurrentProxy } from "../net/Proxies.ts"
import { targetHeaders } from "../net/targetHeaders.ts"
import { proxyOf, renderField, renderOf } from "../rendering/renderField.ts"

/** An extraction as it was asked for, with the defaults filled in. */
export const ExtractSpec = Schema.Struct({
  url: Schema.String,
  formats: Schema.Array(OutputFormat),
  mode: ProcessingMode,
  extractLinks: Schema.Boolean,
  proxy: ProxyConfig,
  headers: Schema.NullOr(Schema.Record(Schema.String, Schema.String)),
  waitConfig: Schema.NullOr(WaitConfig),
  ...renderField
})
export type ExtractSpec = typeof ExtractSpec.Type

/** How a page was fetched. */
export const ExtractFacts = Schema.Struct({
  url: Schema.String,
  httpStatus: Schema.NullOr(Schema.Int),
  durationMs: Schema.Int,
  retryCount: Schema.Int
})
export type ExtractFacts = typeof ExtractFacts.Type

/** How an extraction ended. */
export type Extraction =
  | { readonly _tag: "Extracted"; readonly content: PageContent; readonly facts: ExtractFacts }
  | { readonly _tag: "Failed"; readonly failure: PageFailure; readonly facts: ExtractFacts }

/** Extracts single pages, by the same rules as a crawl: robots, politeness, guarded addresses. */
export class Extractor extends Context.Service<
  Extractor,
  { readonly extract: (spec: ExtractSpec) => Effect.Effect<Extraction> }
>()("@sluice/scraper/extract/Extractor") {
  static readonly layer: Layer.Layer<Extractor, never, Converter | Fetcher> = Layer.effect(
    this,
    Effect.gen(function* () {
      const fetcher = yield* Fetcher
      const converter = yield* Converter
      return Extractor.of({
        extract: Effect.fn("Extractor.extract")(function* (spec): Effect.fn.Return<Extraction, never, Scope.Scope> {
          const headers = targetHeaders(spec.headers)
          const loading = fetcher.load(spec.url, {
            headers,
            render: renderOf(spec),
            admit: () => "go",
            started: () => undefined
          })
          const loaded = yield* Effect.provideService(loading, CurrentProxy, proxyOf(spec))
          const facts = {
            url: loaded._tag === "Loaded" ? loaded.url : spec.url,
            httpStatus: loaded._tag === "Loaded" ? loaded.httpStatus : null,
            durationMs: loaded.durationMs,
            retryCount: loaded.retryCount
          }
          if (loaded._tag === "Unwanted") return yield* Effect.die("an extraction is always wanted")
          if (loaded._tag === "Failed") {
            return { ...loaded, facts: { ...facts, httpStatus: loaded.failure.httpStatus } }
          }
          return yield* converter.convert(loaded, spec.formats).pipe(
            Effect.match({
              onSuccess: (content): Extraction => ({ _tag: "Extracted", content, facts }),
              onFailure: (failure): Extraction => ({ _tag: "Failed", failure, facts })
            })
          )
        }, Effect.scoped)
      })
    })
  )
}

/** The members of an extraction request with their defaults. */
export const extractSpec = (request: ExtractRequest, url: string): ExtractSpec => ({
  url,
  formats: request.formats ?? ["markdown"],
  mode: request.processing_mode ?? "sync",
  extractLinks: request.extract_links ?? false,
  proxy: { country: null, type: "residential", ...request.proxy },
  headers: request.headers ?? null,
  waitConfig: request.wait_config ?? null,
  renderJs: request.render_js ?? false
})
