import { Effect, Redacted, Schema } from "effect"
import { ApiKey, type ApiSettings } from "./ApiSettings.ts"
import { type CliError, invalid } from "./CliError.ts"
import { Environment } from "./Environment.ts"
import { Secrets } from "./Secrets.ts"

/** Where the hosted service is, for those who name a key alone. */
const hostedBaseUrl = "https://scraper.geonode.io"

/** An API with the key for it. */
export interface ApiAccess {
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted
}

/** The Scraper API that the environment or the file names; undefined where neither names a key. The environment wins. */
export const apiAccess = Effect.fnUntraced(function* (
  api: ApiSettings | undefined
): Effect.fn.Return<ApiAccess | undefined, CliError> {
  const { variables } = yield* Environment
  const secrets = yield* Secrets
  const baseUrl = given(variables.SCRAPER_API_BASE_URL) ?? api?.base_url
  const ofEnvironment = given(variables.GEONODE_SCRAPER_API_KEY)
  if (ofEnvironment !== undefined) secrets.add(ofEnvironment)
  if (ofEnvironment !== undefined && !Schema.is(ApiKey)(ofEnvironment)) {
    return yield* invalid(
      "GEONODE_SCRAPER_API_KEY holds a blank, a line break or a control character: remove it from the variable"
    )
  }
  const apiKey = ofEnvironment === undefined ? api?.key : Redacted.make(ofEnvironment)
  if (baseUrl !== undefined && apiKey === undefined) {
    return yield* invalid(
      "a base URL is set and no API key: set GEONODE_SCRAPER_API_KEY, or unset SCRAPER_API_BASE_URL to use the embedded scraper"
    )
  }
  return apiKey === undefined ? undefined : { baseUrl: baseUrl ?? hostedBaseUrl, apiKey }
})

/** A variable that holds something. */
export const given = (value: string | undefined): string | undefined => (value === "" ? undefined : value)
