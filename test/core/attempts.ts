import {
  Crawl,
  type Ledger,
  makeLedgerMemory,
  Pipeline,
  type RunOptions,
  type Source,
  type Transform,
  type Vault
} from "@sluice/core"
import { crawlHistory, makeSite, type SimulatorOptions } from "@sluice/testkit"
import { Effect } from "effect"
import type { Budget } from "../../packages/core/src/pipeline/Budget.ts"
import type { Expectations } from "../../packages/core/src/pipeline/Expectations.ts"
import type { OrphanPolicy } from "../../packages/core/src/pipeline/OrphanPolicy.ts"
import { type MemorySink, memorySink } from "./MemorySink.ts"
import { atOnce, simulated } from "./simulated.ts"

/** What most attempts are made of. */
export const crawl = Crawl.make({ url: "https://site.test/" })
/** Pages of the site, for sources that name them. */
export const urls = Array.from({ length: 12 }, (_, index) => `https://site.test/p/${index + 1}`)
/** What the API crawls. */
export const site = makeSite({ pages: 90, seed: 4 })
/** Looks for lost jobs in no time. */
const quick = { lag: "30 millis", pause: "5 millis" } as const

interface Setting {
  readonly source?: Source
  readonly sink?: MemorySink
  /** Sinks besides. */
  readonly others?: ReadonlyArray<MemorySink>
  readonly vault?: Vault
  readonly ledger?: Ledger
  readonly budget?: Budget
  readonly expect?: Expectations
  readonly transforms?: ReadonlyArray<Transform>
  readonly orphans?: OrphanPolicy
}

/** An API and a ledger that outlive the attempts of a run. */
export const setting = Effect.fnUntraced(function* (simulator: SimulatorOptions = {}, given: Setting = {}) {
  const { source = crawl, sink = memorySink(), ledger = makeLedgerMemory(), transforms = [], budget, expect } = given
  const sinks = [sink, ...(given.others ?? [])].map(({ sink }) => sink)
  const api = yield* simulated({ site, crawl: () => crawlHistory(site, { perPoll: 20 }), ...simulator })
  const { orphans, vault } = given
  const pipeline = Pipeline.make({ name: "test", source, sinks, transforms, budget, expect, vault, orphans })
  const attempt = (options: RunOptions = {}) =>
    Pipeline.execute(pipeline, {
      segmentDelayMs: 5,
      segmentRecords: 10,
      drain: "20 millis",
      adoption: quick,
      ledger,
      ...options,
      reader: { ...atOnce, ...options.reader }
    }).pipe(Effect.provide(api.layer))
  return { ...api, attempt, ledger, pipeline, sink }
})
