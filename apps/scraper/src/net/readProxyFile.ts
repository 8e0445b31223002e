import { Config, Effect, Option, Schema } from "effect"
import { ScraperStartError, type UpstreamProxy } from "../ScraperConfig.ts"
import { readText } from "../state/Files.ts"

const Entry = Schema.Struct({
  type: Schema.Literals(["residential", "datacenter"]),
  country: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Za-z]{2}$/))),
  url_variable: Schema.String
})
const ProxyFile = Schema.fromJsonString(Schema.Struct({ proxies: Schema.Array(Entry) }))

const refused = (message: string, cause: unknown = null) => new ScraperStartError({ message, cause })

/** Reads which proxies there are. Their URLs are in variables of the environment, because they hold credentials. */
export const readProxyFile = Effect.fn("proxyFile.readProxyFile")(function* (
  path: string
): Effect.fn.Return<ReadonlyArray<UpstreamProxy>, ScraperStartError> {
  const text = yield* Effect.mapError(readText(path), (cause) =>
    refused(`The proxy file ${path} cannot be read`, cause)
  )
  if (Option.isNone(text)) return yield* refused(`The proxy file ${path} does not exist`)
  const { proxies } = yield* Effect.mapError(
    Schema.decodeEffect(ProxyFile, { onExcessProperty: "error" })(text.value),
    () =>
      refused(`The proxy file ${path} must be {"proxies": [{"type": ..., "country": ..., "url_variable": ...}, ...]}`)
  )
  return yield* Effect.forEach(proxies, ({ country, type, url_variable }) =>
    Effect.mapBoth(Config.Redacted(url_variable), {
      onSuccess: (url): UpstreamProxy => ({ type, country: country ?? null, url }),
      onFailure: () => refused(`The proxy file ${path} names the variable ${url_variable}, which is not set`)
    })
  )
})
