import type { ProxyConfig, Unprocessable, WaitConfig } from "@sluice/contract"
import { Effect } from "effect"
import { normalizeUrl } from "../../net/normalizeUrl.ts"
import type { Proxies } from "../../net/Proxies.ts"
import type { Renderer } from "../../rendering/Renderer.ts"
import { isLifecycle, lifecycleNames } from "../../rendering/RenderRequest.ts"
import { unprocessable } from "../errorResponse.ts"

/** The normalised URL of a request, or the 422 that tells what is wrong with it. */
export const targetUrl = (url: string): Effect.Effect<string, Unprocessable> =>
  Effect.mapError(Effect.fromOption(normalizeUrl(url.trim())), () =>
    unprocessable("VALIDATION_ERROR", "url must be an absolute http or https URL without credentials")
  )

/** Refuses to render where there is no browser, and to wait for what no browser knows. */
export const renderable = (
  { isAvailable }: Renderer["Service"],
  request: { readonly render_js?: boolean; readonly wait_config?: typeof WaitConfig.Type | null }
): Effect.Effect<void, Unprocessable> => {
  if (request.render_js !== true) return Effect.void
  if (!isAvailable) {
    return Effect.fail(
      unprocessable("VALIDATION_ERROR", "render_js is not available: this server has found no Chromium")
    )
  }
  const until = request.wait_config?.wait_until
  return until === undefined || isLifecycle(until)
    ? Effect.void
    : Effect.fail(unprocessable("VALIDATION_ERROR", `wait_config.wait_until must be one of ${lifecycleNames}`))
}

/** Refuses a proxy that is asked for by name and is not there. Without any the wish is echoed and has no effect. */
export const routable = (
  { isConfigured, offers }: Proxies["Service"],
  { proxy, render_js }: { readonly render_js?: boolean; readonly proxy?: typeof ProxyConfig.Type }
): Effect.Effect<void, Unprocessable> => {
  if (!isConfigured || (proxy?.country == null && proxy?.type === undefined)) return Effect.void
  const { country = null, type = "residential" } = proxy
  if (!offers(proxy)) {
    const where = country === null ? "" : ` in ${country}`
    return Effect.fail(
      unprocessable("VALIDATION_ERROR", `proxy is not available: this server has none of type ${type}${where}`)
    )
  }
  return render_js === true
    ? Effect.fail(
        unprocessable("VALIDATION_ERROR", "proxy is not available with render_js: a browser goes through none")
      )
    : Effect.void
}
