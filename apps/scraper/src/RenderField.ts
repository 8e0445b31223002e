import type { WaitConfig } from "@sluice/contract"
import { Effect, Schema } from "effect"
import { type RenderWait, renderWait } from "./rendering/RenderRequest.ts"

/** The part of what was asked for that says whether a browser renders the pages. Jobs made before there was one lack it. */
export const renderField = {
  renderJs: Schema.Boolean.pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed(false)))
}

/** How the pages are rendered, or null if they are not. */
export const renderOf = (spec: {
  readonly renderJs: boolean
  readonly waitConfig: typeof WaitConfig.Type | null
}): RenderWait | null => (spec.renderJs ? renderWait(spec.waitConfig) : null)
