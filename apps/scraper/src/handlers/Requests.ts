import type { Unprocessable } from "@sluice/contract"
import { Effect } from "effect"
import { refused } from "../Envelope.ts"
import { normaliseUrl } from "../UrlNormal.ts"

/** The normalised URL of a request, or the 422 that tells what is wrong with it. */
export const targetUrl = (url: string): Effect.Effect<string, Unprocessable> =>
  Effect.mapError(Effect.fromOption(normaliseUrl(url.trim())), () =>
    refused("VALIDATION_ERROR", "url must be an absolute http or https URL without credentials")
  )

/** Refuses what only a browser could do. */
export const withoutRendering = (renderJs: boolean | undefined): Effect.Effect<void, Unprocessable> =>
  renderJs === true
    ? Effect.fail(
        refused("VALIDATION_ERROR", "render_js is not available: this server fetches pages without running scripts")
      )
    : Effect.void
