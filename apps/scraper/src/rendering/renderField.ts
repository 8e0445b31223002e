import type { ProxyConfig, WaitConfig } from "@sluice/contract"
import { Effect, Schema } from "effect"
import { type RenderWait, renderWait } from "./RenderRequest.ts"

/** The part of what was asked for that says whether a browser renders the pages. Jobs made before there was one lack it. */
export const renderField = {
  renderJs: Schema.Boolean.pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed(false)))
}

/** The proxy the pages go through. Rendered ones go through none: what a browser loads beside the document would not. */
export const proxyOf = (spec: {
  readonly renderJs: boolean
  readonly proxy: typeof ProxyConfig.Type
}): typeof ProxyConfig.Type | null => (spec.renderJs ? null : spec.proxy)

/** How the pages are rendered, or null if they are not. */
export const renderOf = (spec: {
  readonly renderJs: boolean
  readonly waitConfig: typeof WaitConfig.Type | null
}): RenderWait | null => (spec.renderJs ? renderWait(spec.waitConfig) : null)
