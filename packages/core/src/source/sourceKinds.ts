import type { JobKind } from "../record/JobSnapshot.ts"
import { batchKind } from "./Batch.ts"
import { crawlKind } from "./Crawl.ts"
import { extractKind } from "./Extract.ts"
import { mapKind } from "./SiteMap.ts"
import type { Source } from "./Source.ts"
import type { SourceKind } from "./SourceKind.ts"

/** What the engine knows about jobs, by their kind. */
export const sourceKinds: { readonly [Kind in JobKind]: Pick<SourceKind<never>, "isOnePage" | "recordOf" | "totals"> } =
  { crawl: crawlKind, extract: extractKind, batch: batchKind, map: mapKind }

type OfOptions = "stream" | "asks" | "firstPage" | "pageBounds" | "whyAbsent" | "hasContent" | "limitReached"

type Rest<F> = F extends (options: never, ...rest: infer A) => infer R ? (...rest: A) => R : never

/** A source with its kind: what its kind knows, applied to its options. */
export type BoundSource = { readonly [K in OfOptions]: Rest<SourceKind<unknown>[K]> } & { readonly kind: JobKind }

/** Binds a source to its kind. */
export const boundSource = (source: Source): BoundSource => {
  if (source.crawl !== undefined) return bind("crawl", crawlKind, source.crawl)
  if (source.extract !== undefined) return bind("extract", extractKind, source.extract)
  if (source.batch !== undefined) return bind("batch", batchKind, source.batch)
  return bind("map", mapKind, source.map!)
}

const bind = <Options>(kind: JobKind, of: SourceKind<Options>, options: Options): BoundSource => ({
  kind,
  stream: (reader) => of.stream(options, reader),
  asks: () => of.asks(options),
  firstPage: () => of.firstPage(options),
  pageBounds: () => of.pageBounds(options),
  whyAbsent: (field) => of.whyAbsent(options, field),
  hasContent: () => of.hasContent(options),
  limitReached: (jobs) => of.limitReached(options, jobs)
})
