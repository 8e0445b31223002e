import { Schema } from "effect"
import { ProxyType } from "./Vocabulary.ts"

/** Where a request leaves from. `country` is ISO 3166-1 alpha-2; null or absent means routed automatically. */
export const ProxyConfig = Schema.Struct({
  country: Schema.optionalKey(Schema.NullOr(Schema.String)),
  type: Schema.optionalKey(ProxyType)
}).annotate({ identifier: "ProxyConfig" })

/**
 * When a rendered page counts as ready. `wait_until` is open: lifecycle names past `commit`, `domcontentloaded` and
 * `load` may exist. `wait_timeout` is in milliseconds; whether it is a ceiling or a delay is not documented.
 */
export const WaitConfig = Schema.Struct({
  wait_until: Schema.optionalKey(Schema.String.annotate({ default: "domcontentloaded" })),
  wait_for: Schema.optionalKey(Schema.NullOr(Schema.String)),
  wait_timeout: Schema.optionalKey(Schema.NullOr(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))))
}).annotate({ identifier: "WaitConfig" })

/** Headers to send to the target site. */
export const HeaderMap = Schema.NullOr(Schema.Record(Schema.String, Schema.String))

/** What a batch or crawl has cost: charged for good, and reserved for pages still open. In requests ("tokens"). */
export const TokenSummary = Schema.Struct({
  tokens_charged_total: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  tokens_reserved: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
}).annotate({ identifier: "TokenSummary" })
export type TokenSummary = typeof TokenSummary.Type

/** What fetching one page of a batch or crawl took. */
export const ItemMetadata = Schema.Struct({
  http_status: Schema.NullOr(Schema.Int),
  duration_ms: Schema.NullOr(Schema.Int),
  retry_count: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  tokens_charged: Schema.NullOr(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))
}).annotate({ identifier: "ItemMetadata" })
export type ItemMetadata = typeof ItemMetadata.Type

/** The members every answer with a page of rows carries. `page_count` counts pages, not rows. */
export const pageEnvelope = {
  page: Schema.Int,
  page_size: Schema.Int,
  page_count: Schema.Int
}
