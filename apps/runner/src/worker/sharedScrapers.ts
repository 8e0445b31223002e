import { createHash } from "node:crypto"
import type { Scraper } from "@sluice/core"
import { type Context, Effect, type FileSystem, Layer, type Path, RcMap, Redacted, type Scope } from "effect"
import { apiAccess } from "../apiAccess.ts"
import type { CliError } from "../CliError.ts"
import type { Machine } from "../Machine.ts"
import { scraperLayer } from "../scraperLayer.ts"

/**
 * One client for all runs of this process that use the same API with the same key and settings: together they keep to its limits.
 * One embedded scraper for each state directory, which admits no second.
 */
export const makeSharedScrapers = Effect.gen(function* () {
  const machines = new Map<string, Machine>()
  const clients = yield* RcMap.make({
    lookup: (
      key: string
    ): Effect.Effect<Context.Context<Scraper>, CliError, Scope.Scope | FileSystem.FileSystem | Path.Path> =>
      Layer.build(scraperLayer(machines.get(key)!)),
    idleTimeToLive: "1 minute"
  })
  return Effect.fnUntraced(function* (machine: Machine) {
    const key = yield* keyOf(machine)
    machines.set(key, machine)
    return yield* RcMap.get(clients, key)
  })
})

const keyOf = Effect.fnUntraced(function* ({ api, embedded, stateDirectory }: Machine) {
  const access = yield* apiAccess(api)
  if (access === undefined) return JSON.stringify([stateDirectory, embedded ?? {}])
  const { key: _, ...settings } = api ?? {}
  const secret = createHash("sha256").update(Redacted.value(access.apiKey)).digest("hex")
  return JSON.stringify([access.baseUrl, secret, settings])
})
