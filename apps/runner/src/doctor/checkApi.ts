import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Scraper } from "@sluice/core"
import { Clock, Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { apiAccess } from "../apiAccess.ts"
import { scraperCliError } from "../cliErrors.ts"
import { profileSettings } from "../loadProfile.ts"
import type { Machine } from "../Machine.ts"
import { check, type HealthCheck } from "./HealthCheck.ts"

/** How long a check waits for an API that does not answer. */
const patience = "5 seconds"

/** Clocks that differ by more are told of; by much more, signatures and job lists go wrong. In seconds. */
const skewTold = 30
const skewFailed = 300

const period = 30 * 86_400_000

/** Whether the API takes the key, what it tells of the account, and whether its clock agrees with ours. Costs nothing. */
export const checkApi = Effect.fnUntraced(function* (machine: Pick<Machine, "api">) {
  const access = yield* apiAccess(machine.api)
  if (access === undefined) {
    return [check("ok", "api", "the embedded scraper: no GEONODE_SCRAPER_API_KEY and no api.key is set")]
  }
  const auth = machine.api?.auth ?? (yield* profileSettings(machine))?.auth
  const client = Scraper.layer({ ...access, ...(auth === undefined ? {} : { auth }), giveUpAfter: patience })
  return yield* Effect.all([askAccount, askClock(access.baseUrl)]).pipe(
    Effect.map((checks) => checks.flat()),
    Effect.provide(Layer.provideMerge(client, NodeHttpClient.layerUndici)),
    Effect.catchTag("ScraperError", (error) => Effect.succeed([check("failed", "api", scraperCliError(error).message)]))
  )
})

/** The account, by what is free to ask. An API without statistics cannot tell. */
const askAccount = Effect.gen(function* () {
  const scraper = yield* Scraper
  const to = yield* Clock.currentTimeMillis
  const { days, total } = yield* scraper.getAccountUsage({ from: to - period, to })
  const charged = total ?? days.reduce((sum, { tokens }) => sum + tokens, 0)
  const usage = yield* Effect.orElseSucceed(scraper.api.statistics.getUsage(), () => ({}))
  const balance = Object.entries(usage).find(
    ([name, value]) => /balance|remaining|credits/i.test(name) && typeof value === "number"
  )
  const left = balance === undefined ? "it tells no balance" : `${balance[0]} ${balance[1]}`
  return [check("ok", "api", `${scraper.origin} takes the key; ${charged} tokens charged in 30 days, ${left}`)]
}).pipe(
  Effect.catchTag("ScraperError", (error): Effect.Effect<ReadonlyArray<HealthCheck>> => {
    const { _tag: tag } = error.reason
    return Effect.succeed([
      tag === "NotFound" || tag === "Unreadable"
        ? check("warn", "api", `it offers no statistics, so the key could not be tried: ${error.message}`)
        : check("failed", "api", scraperCliError(error).message)
    ])
  })
)

const askClock = Effect.fnUntraced(
  function* (baseUrl: string): Effect.fn.Return<ReadonlyArray<HealthCheck>, unknown, HttpClient.HttpClient> {
    const client = yield* HttpClient.HttpClient
    const asked = yield* Clock.currentTimeMillis
    const { headers } = yield* Effect.timeout(client.get(`${baseUrl.replace(/\/+$/, "")}/health`), patience)
    const answered = yield* Clock.currentTimeMillis
    const told = Date.parse(headers.date ?? "")
    if (Number.isNaN(told)) return [check("skipped", "clock", "the API's answers have no date")]
    // The header names whole seconds.
    const skew = Math.round(((asked + answered) / 2 - (told + 500)) / 1000)
    const detail = `${Math.abs(skew)} s ${skew < 0 ? "behind" : "ahead of"} the API's`
    if (Math.abs(skew) <= skewTold) return [check("ok", "clock", detail)]
    return [check(Math.abs(skew) > skewFailed ? "failed" : "warn", "clock", `${detail}: set the clock of this machine`)]
  },
  Effect.orElseSucceed((): ReadonlyArray<HealthCheck> => [check("skipped", "clock", "the API did not answer")])
)
