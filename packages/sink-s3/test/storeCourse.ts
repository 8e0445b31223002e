import { assert } from "@effect/vitest"
import { Crawl, makeLedgerMemory, Pipeline, Scraper } from "@sluice/core"
import { S3, type S3SinkOptions } from "@sluice/sink-s3"
import { crawlHistory, makeSite, Simulator } from "@sluice/testkit"
import { Effect, Layer, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { landed, type ReadObject } from "./readLake.ts"

const site = makeSite({ pages: 40, seed: 8 })
/** A crawl of three segments, of which two are gathered. */
const segmentRecords = 15
const pace = { pollMin: "1 millis", pollMax: "2 millis", settleTime: "2 seconds" } as const

/** What a store is asked for by a user of it: a run, its audit, another run and its audit, and gc. */
export const storeCourse = Effect.fnUntraced(function* (options: S3SinkOptions, read: ReadObject) {
  const { apiKey, baseUrl } = yield* Simulator.make({ site, crawl: () => crawlHistory(site, { perPoll: 10 }) })
  const api = Scraper.layer({ baseUrl, apiKey, requestsPerSecond: 100_000 }).pipe(Layer.provide(FetchHttpClient.layer))
  const ledger = makeLedgerMemory()
  const source = Crawl.make({ url: site.url })
  const pipeline = Pipeline.make({ name: "course", source, sinks: [S3.sink(options)], orphans: "ignore" })
  const settings = { ledger, segmentRecords, reader: pace } as const
  const runIds: Array<string> = []
  while (runIds.length < 2) {
    const { receipt } = yield* Effect.provide(Pipeline.execute(pipeline, settings), api)
    assert.strictEqual(receipt.status, "completed", receipt.reason)
    const audit = Pipeline.audit(pipeline, { runId: receipt.run_id, ledger, askApi: false })
    const findings = yield* Effect.provide(Stream.runCollect(audit), api)
    assert.deepStrictEqual(
      findings.filter(({ kind }) => kind === "differs"),
      []
    )
    runIds.push(receipt.run_id)
  }
  assert.strictEqual(new Set(runIds).size, 2)
  const pages = Effect.map(landed(read, "course"), ({ pages }) => pages.map(({ url }) => url).toSorted())
  const urls = site.pages.slice(0, 40).flatMap(({ url }) => [url, url])
  assert.deepStrictEqual(yield* pages, urls.toSorted())
  const collect = S3.collectGarbage(options, {
    pipeline: "course",
    olderThan: -60_000,
    isKept: (runId) => Effect.map(ledger.open({ runId }), (run) => run !== undefined)
  })
  assert.isAbove((yield* collect).objects, 0)
  assert.deepStrictEqual(yield* collect, { objects: 0, uploads: 0 })
  assert.deepStrictEqual(yield* pages, urls.toSorted())
})
