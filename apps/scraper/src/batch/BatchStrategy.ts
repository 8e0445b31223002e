import { OutputFormat, ProxyConfig, WaitConfig } from "@sluice/contract"
import { Schema } from "effect"
import type { JobStrategy } from "../crawler/PageCrawler.ts"
import { targetHeaders } from "../net/targetHeaders.ts"
import { proxyOf, renderField, renderOf } from "../rendering/renderField.ts"

/** A batch as it was asked for, with the defaults filled in. Its URLs are the pages in its log. */
export const BatchSpec = Schema.Struct({
  formats: Schema.Array(OutputFormat),
  proxy: ProxyConfig,
  headers: Schema.NullOr(Schema.Record(Schema.String, Schema.String)),
  waitConfig: Schema.NullOr(WaitConfig),
  ...renderField
})
export type BatchSpec = typeof BatchSpec.Type

/** Every URL of the list is a page under the URL that was asked for, wherever redirects lead and however often it is named. */
export const batchStrategy = (spec: BatchSpec): JobStrategy => ({
  formats: spec.formats,
  headers: targetHeaders(spec.headers),
  render: renderOf(spec),
  proxy: proxyOf(spec),
  redirected: () => "go",
  endsAs: (asked) => asked
})
