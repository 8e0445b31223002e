import { randomBytes } from "node:crypto"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Scraper, type ScraperError } from "@sluice/core"
import { Effect, FileSystem, Layer, Path, Redacted, Schema } from "effect"
import { ApiKey } from "./ApiSettings.ts"
import { type CliError, failed, invalid } from "./CliError.ts"
import { scraperCliError } from "./cliErrors.ts"
import { Environment } from "./Environment.ts"
import type { Machine } from "./Machine.ts"
import { Secrets } from "./Secrets.ts"
import { millisOf } from "./TimeSpan.ts"

/** Where the hosted service is, for those who name a key alone. */
const hostedBaseUrl = "https://scraper.geonode.io"

/**
 * The Scraper API that serves a run: the one the environment or the file names, or, when neither names one, the embedded
 * scraper on a loopback port of its own.
 */
export const scraperLayer = (machine: Machine): Layer.Layer<Scraper, CliError, FileSystem.FileSystem | Path.Path> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { variables } = yield* Environment
      const secrets = yield* Secrets
      const { api } = machine
      const baseUrl = given(variables.SCRAPER_API_BASE_URL) ?? api?.base_url
      const ofEnvironment = given(variables.GEONODE_SCRAPER_API_KEY)
      if (ofEnvironment !== undefined) secrets.add(ofEnvironment)
      if (ofEnvironment !== undefined && !Schema.is(ApiKey)(ofEnvironment)) {
        return yield* invalid(
          "GEONODE_SCRAPER_API_KEY holds a blank, a line break or a control character: remove it from the variable"
        )
      }
      const key = ofEnvironment === undefined ? api?.key : Redacted.make(ofEnvironment)
      if (baseUrl !== undefined && key === undefined) {
        return yield* invalid(
          "a base URL is set and no API key: set GEONODE_SCRAPER_API_KEY, or unset SCRAPER_API_BASE_URL to use the embedded scraper"
        )
      }
      if (key === undefined) return embedded(machine)
      return client({
        ...(api?.give_up_after === undefined ? {} : { giveUpAfter: millisOf(api.give_up_after) }),
        baseUrl: baseUrl ?? hostedBaseUrl,
        apiKey: key,
        ...(api?.auth === undefined ? {} : { auth: api.auth }),
        ...(api?.concurrency === undefined ? {} : { concurrency: api.concurrency }),
        ...(api?.requests_per_second === undefined ? {} : { requestsPerSecond: api.requests_per_second })
      })
    })
  )

const given = (value: string | undefined): string | undefined => (value === "" ? undefined : value)

const client = (options: Parameters<typeof Scraper.layer>[0]): Layer.Layer<Scraper, CliError> =>
  Scraper.layer(options).pipe(
    Layer.provide(NodeHttpClient.layerUndici),
    Layer.catch((error: ScraperError) => Layer.effect(Scraper, Effect.fail(scraperCliError(error))))
  )

/** The embedded scraper. Its state and its key stay under `.sluice`, so that its jobs can be found again. */
const embedded = (machine: Machine) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const path = yield* Path.Path
      const { embedded: settings = {}, stateDirectory } = machine
      const { variables } = yield* Environment
      const chromium = given(variables.SCRAPER_CHROMIUM)
      const directory = path.join(stateDirectory, "scraper")
      const apiKey = yield* embeddedKey(path.join(stateDirectory, "scraper.key"))
      // A fifth of a second, which commands that need none of it do not pay.
      const { serve } = yield* Effect.promise(() => import("@sluice/scraper"))
      const { baseUrl } = yield* serve({
        apiKeys: [apiKey],
        stateDir: directory,
        allowPrivateTargets: settings.allow_private_targets ?? false,
        ...(chromium === undefined ? {} : { chromium }),
        ...(settings.host_delay_ms === undefined ? {} : { hostDelayMs: settings.host_delay_ms }),
        ...(settings.host_concurrency === undefined ? {} : { hostConcurrency: settings.host_concurrency })
      }).pipe(Effect.mapError((error) => failed(`the embedded scraper could not start: ${error.message}`)))
      const { api } = machine
      return client({
        baseUrl,
        apiKey,
        ...(api?.give_up_after === undefined ? {} : { giveUpAfter: millisOf(api.give_up_after) })
      })
    })
  )

const embeddedKey = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const secrets = yield* Secrets
  const known = yield* files.readFileString(file).pipe(Effect.orElseSucceed(() => ""))
  const key = known.trim() === "" ? randomBytes(24).toString("base64url") : known.trim()
  secrets.add(key)
  if (known.trim() === "") {
    yield* files.makeDirectory(path.dirname(file), { recursive: true }).pipe(
      Effect.andThen(files.writeFileString(file, `${key}\n`, { mode: 0o600 })),
      Effect.mapError(() => failed(`${path.dirname(file)} cannot be written to: check its permissions`))
    )
  }
  return Redacted.make(key)
})
