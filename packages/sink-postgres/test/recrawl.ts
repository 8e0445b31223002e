import { Crawl, Pipeline, Scraper, type Sink } from "@sluice/core"
import {
  cancelledState,
  type HistoryRow,
  historyOf,
  makeSite,
  type SentItem,
  Simulator,
  type SiteModel,
  stateOf
} from "@sluice/testkit"
import { type Duration, Effect, Layer, type Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import type { Expectations } from "../../core/src/pipeline/Expectations.ts"
import type { Quarantine } from "../../core/src/pipeline/Quarantine.ts"

/** How a site differs from what it was at first, by the places of its pages, and how far its crawl comes. */
export interface Difference {
  readonly changed?: readonly [from: number, to: number]
  readonly gone?: readonly [from: number, to: number]
  readonly failed?: readonly [from: number, to: number]
  /** The crawl is cancelled when so many pages have ended. */
  readonly cancelledAfter?: number
  /** What is expected of it. */
  readonly expect?: Expectations
  readonly quarantine?: typeof Quarantine.Encoded
  readonly allow_shrink?: boolean
  /** The limit of the crawl; it does not cut the site. */
  readonly limit?: number
  /** How long a process that dies keeps the next from its run. */
  readonly lease?: Duration.Input
  /** How results are sent. */
  readonly reshape?: (item: SentItem) => Schema.Json
}

/** A site of a thousand pages. */
const site: SiteModel = makeSite({ pages: 1000, seed: 12 })

/** The URLs at these places. */
export const urlsAt = ([from, to]: readonly [number, number]): ReadonlyArray<string> =>
  site.pages.slice(from, to).map(({ url }) => url)

/** Tests count what a run writes, and let its process die by a trigger: a dry load would be counted, and would find the trigger. */
const withoutDryLoad = (sink: Sink): Sink => ({
  ...sink,
  connect: Effect.map(sink.connect, ({ dryLoad: _, ledger, ...connection }) => ({
    ...connection,
    ledger: ledger && { ...ledger, dryRun: () => Effect.void }
  }))
})

/** The site as it is now, behind an API, and how to crawl it into a sink; `nth` tells its jobs from those of others. */
export const recrawling = Effect.fnUntraced(function* (sink: Sink, nth: number, difference: Difference = {}) {
  const { allow_shrink, cancelledAfter, changed = [0, 0], expect, failed = [0, 0], gone = [0, 0] } = difference
  const { lease, limit = 5000, quarantine, reshape } = difference
  const isIn = (place: number, [from, to]: readonly [number, number]) => place >= from && place < to
  const rows = site.pages.slice(0, site.pages.length).flatMap((page, place): ReadonlyArray<HistoryRow> => {
    if (isIn(place, gone)) return []
    if (isIn(place, failed)) return [{ ...page, status: "failed", errorCode: "TIMEOUT", errorMessage: "no answer" }]
    return [{ ...page, status: cancelledAfter !== undefined && place >= cancelledAfter ? "queued" : "completed" }]
  })
  const newer = new Set(urlsAt(changed))
  const now: SiteModel = {
    ...site,
    content: (url) => {
      const content = site.content(url)
      return newer.has(url) ? { ...content, markdown: `${content.markdown}\n\nRevised.` } : content
    }
  }
  const state = stateOf("completed", rows)
  const simulator = yield* Simulator.make({
    seed: nth,
    site: now,
    crawl: () => historyOf(cancelledAfter === undefined ? state : cancelledState(state)),
    ...(reshape === undefined ? {} : { reshape })
  })
  const pipeline = Pipeline.make({
    name: "again",
    source: Crawl.make({ url: "https://site.test/", limit }),
    sinks: [withoutDryLoad(sink)],
    expect,
    quarantine,
    allow_shrink
  })
  const run = Pipeline.execute(pipeline, {
    reader: { pollMin: "1 millis", pollMax: "2 millis" },
    segmentRecords: 200,
    ...(lease === undefined ? {} : { lease }),
    writeRetries: 0
  }).pipe(
    Effect.map(({ receipt }) => receipt),
    Effect.provide(Scraper.layer(simulator).pipe(Layer.provide(FetchHttpClient.layer)))
  )
  return { run, simulator, pipeline }
})

/** Crawls the site as it is now into a sink, by a run of its own. */
export const recrawl = (sink: Sink, nth: number, difference: Difference = {}) =>
  Effect.scoped(Effect.flatMap(recrawling(sink, nth, difference), ({ run }) => run))
