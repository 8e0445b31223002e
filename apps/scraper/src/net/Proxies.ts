import { lookup } from "node:dns/promises"
import type { ProxyConfig } from "@sluice/contract"
import { Context, Effect, Layer, Redacted } from "effect"
import { type Dispatcher, ProxyAgent } from "undici"
import { ServerSettings, type UpstreamProxy } from "../ScraperConfig.ts"
import { isBlockedLiteral, isPublicAddress } from "./AddressGuard.ts"
import { finalFailure, type PageFailure } from "./PageFailure.ts"

/** Which proxy what is being fetched asks for; null for what leaves from this machine. */
export class CurrentProxy extends Context.Reference<typeof ProxyConfig.Type | null>(
  "@sluice/scraper/net/Proxies/CurrentProxy",
  { defaultValue: () => null }
) {}

/** The proxies that were configured, by what requests call them. */
export class Proxies extends Context.Service<
  Proxies,
  {
    readonly isConfigured: boolean
    readonly offers: (wish: typeof ProxyConfig.Type) => boolean
    /**
     * Through which proxy a URL is to be asked for; undefined for none. The target is judged first: its name is resolved here
     * and every address has to be public. The proxy resolves it again, with a result that this server cannot see.
     */
    readonly route: (url: string) => Effect.Effect<Dispatcher | undefined, PageFailure>
  }
>()("@sluice/scraper/net/Proxies") {
  static readonly layer: Layer.Layer<Proxies, never, ServerSettings> = Layer.effect(
    this,
    Effect.gen(function* () {
      const { allowPrivateTargets, hostConcurrency, maxTargetHeaderBytes, pageTimeoutMs, proxies } =
        yield* ServerSettings
      const upstreams = yield* Effect.forEach(proxies, (proxy) =>
        Effect.map(
          Effect.acquireRelease(
            Effect.sync(
              () =>
                new ProxyAgent({
                  uri: Redacted.value(proxy.url),
                  proxyTunnel: true,
                  connections: hostConcurrency,
                  maxHeaderSize: maxTargetHeaderBytes,
                  headersTimeout: pageTimeoutMs,
                  bodyTimeout: pageTimeoutMs
                })
            ),
            (agent) => Effect.promise(() => agent.destroy())
          ),
          (dispatcher) => ({ ...proxy, dispatcher })
        )
      )
      const find = (wish: typeof ProxyConfig.Type) => upstreams.find((each) => fits(each, wish))

      return Proxies.of({
        isConfigured: upstreams.length > 0,
        offers: (wish) => find(wish) !== undefined,
        route: Effect.fnUntraced(function* (url) {
          const wish = yield* CurrentProxy
          if (wish === null || upstreams.length === 0) return undefined
          const upstream = find(wish)
          if (upstream === undefined) {
            // Nobody asked for the standard type by name; a country was asked for, and not any other.
            if (wish.country == null) return undefined
            return yield* finalFailure("CONNECTION_ERROR", `No proxy is configured for the country ${wish.country}`)
          }
          if (!allowPrivateTargets) yield* judge(new URL(url).hostname)
          return upstream.dispatcher
        })
      })
    })
  )
}

const fits = (proxy: UpstreamProxy, { country, type }: typeof ProxyConfig.Type): boolean =>
  (type === "mix" || proxy.type === (type ?? "residential")) &&
  (country == null || proxy.country?.toLowerCase() === country.toLowerCase())

const judge = Effect.fnUntraced(function* (hostname: string): Effect.fn.Return<void, PageFailure> {
  const blocked = finalFailure("BLOCKED_TARGET", "The target's address is not public")
  if (isBlockedLiteral(hostname)) return yield* blocked
  if (hostname.startsWith("[") || isPublicAddress(hostname)) return
  const addresses = yield* Effect.tryPromise({
    try: () => lookup(hostname, { all: true }),
    catch: () => finalFailure("DNS_ERROR", "The target's name does not resolve")
  })
  if (!addresses.every(({ address }) => isPublicAddress(address))) return yield* blocked
})
