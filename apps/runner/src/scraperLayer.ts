import { randomBytes } from "node:crypto"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Scraper, type ScraperError } from "@sluice/core"
import { Effect, FileSystem, Layer, Path, Redacted } from "effect"
import { apiAccess, given } from "./apiAccess.ts"
import { type CliError, failed } from "./CliError.ts"
import { scraperCliError } from "./cliErrors.ts"
import { Environment } from "./Environment.ts"
import { profileSettings } from "./loadProfile.ts"
import type { Machine } from "./Machine.ts"
import { Secrets } from "./Secrets.ts"
import { millisOf } from "./TimeSpan.ts"

/**
 * The Scraper API that serves a run: the one the environment or the file names, or, when neither names one, the embedded
 * scraper on a loopback port of its own.
 */
export const scraperLayer = (machine: Machine): Layer.Layer<Scraper, CliError, FileSystem.FileSystem | Path.Path> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { api } = machine
      const access = yield* apiAccess(api)
      if (access === undefined) return embedded(machine)
      const auth = api?.auth ?? (yield* profileSettings(machine))?.auth
      return client({
        ...(api?.give_up_after === undefined ? {} : { giveUpAfter: millisOf(api.give_up_after) }),
        ...access,
        ...(auth === undefined ? {} : { auth }),
        ...(api?.concurrency === undefined ? {} : { concurrency: api.concurrency }),
        ...(api?.requests_per_second === undefined ? {} : { requestsPerSecond: api.requests_per_second })
      })
    })
  )

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
